import { relative } from 'node:path';

import { DefaultReporter, type TestCase, type TestModule, type TestSpecification } from 'vitest/node';

/** Options of the reporter, in seconds. */
interface ProgressOptions {
  /** @defaultValue 30 */
  readonly everySeconds?: number;
}

/**
 * Prints the progress of the tests in one line every half minute, instead of a line for each file. A failed file is
 * named at once. All failures follow in full at the end, as in vitest's own report.
 */
export default class ProgressReporter extends DefaultReporter {
  private readonly every: number;
  private readonly startedAt = Date.now();
  /** Files that run now. */
  private readonly running = new Set<string>();
  private readonly count = { files: 0, doneFiles: 0, tests: 0, failed: 0 };
  private timer: NodeJS.Timeout | undefined;

  constructor({ everySeconds = 30 }: ProgressOptions = {}) {
    super({ summary: false });
    this.every = everySeconds * 1000;
  }

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart(specifications);
    this.count.files = specifications.length;
    this.timer = setInterval(() => this.log(this.progress()), this.every);
  }

  override onTestModuleQueued(module: TestModule): void {
    super.onTestModuleQueued(module);
    this.running.add(module.moduleId);
  }

  override onTestCaseResult(test: TestCase): void {
    super.onTestCaseResult(test);
    const { state } = test.result();
    if (state === 'passed' || state === 'failed') this.count.tests += 1;
    if (state === 'failed') this.count.failed += 1;
  }

  override onTestModuleEnd(module: TestModule): void {
    this.running.delete(module.moduleId);
    this.count.doneFiles += 1;
    if (!module.ok()) super.onTestModuleEnd(module);
  }

  override onTestRunEnd(...[modules, errors, reason]: Parameters<DefaultReporter['onTestRunEnd']>): void {
    clearInterval(this.timer);
    super.onTestRunEnd(modules, errors, reason);
  }

  /**
   * Describes the progress, e.g. `==> Tests: 812 done, 0 failed, in 61 of 164 files after 3 min 30 s; now
   * test/jobs/streams.test.ts`
   */
  private progress(): string {
    const seconds = Math.round((Date.now() - this.startedAt) / 1000);
    const elapsed = `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    const now = [...this.running].map((path) => relative(process.cwd(), path)).join(', ');
    const { files, doneFiles, tests, failed } = this.count;
    return (
      `==> Tests: ${tests} done, ${failed} failed, in ${doneFiles} of ${files} files after ${elapsed}; now ` +
      `${now || 'starting'}`
    );
  }
}
