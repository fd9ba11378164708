import { InvalidModelError, oneLine } from '../errors.js';

/** The result of one check. `detail` is one line: the result, or the problem and its remedy. */
export interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly results: readonly CheckResult[];
}

/** Hears how far a check is: the parts done, of all its parts. */
export type CheckProgress = (check: string, done: number, total: number) => void;

/** Collects results. A check that throws has failed. */
export class CheckList {
  readonly results: CheckResult[] = [];

  constructor(readonly progress: CheckProgress = () => undefined) {}

  /** @returns what the check returned, or undefined when it failed */
  async run<Result>(
    check: string,
    work: () => Result | Promise<Result>,
    detail: (result: Result) => string,
  ): Promise<Result | undefined> {
    try {
      const result = await work();
      this.results.push({ check, ok: true, detail: detail(result) });
      return result;
    } catch (error) {
      this.fail(check, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  passed(check: string): boolean {
    return this.results.some((result) => result.check === check && result.ok);
  }

  pass(check: string, detail: string): void {
    this.results.push({ check, ok: true, detail });
  }

  fail(check: string, detail: string): void {
    this.results.push({ check, ok: false, detail: oneLine(detail) });
  }

  report(): CheckReport {
    return { ok: this.results.every((result) => result.ok), results: this.results };
  }
}

/** @throws InvalidModelError naming every failed check in one line */
export function requirePassed(name: string, report: CheckReport): void {
  if (report.ok) return;
  const failed = report.results.filter((result) => !result.ok).map((result) => `${result.check}: ${result.detail}`);
  throw new InvalidModelError(
    `risk model ${name}`,
    failed.join(' | '),
    'it is not served; run "riskgraph model check" on it for the whole report',
  );
}
