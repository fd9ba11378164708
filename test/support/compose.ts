import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A service of docker-compose.yml, as far as the tests look at it. */
interface ComposeService {
  readonly image: string;
  readonly build?: { readonly target: string; readonly args: Readonly<Record<string, string>> };
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** A null value passes on the variable of the same name that Compose itself has. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly secrets?: readonly string[];
  readonly mem_limit: string;
  readonly memswap_limit: string;
  readonly cpus: string;
  readonly pids_limit?: number;
  readonly ulimits?: { readonly nofile: { readonly soft: number; readonly hard: number } };
  readonly scale?: string;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly restart: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

export const composeSource = readFileSync('docker-compose.yml', 'utf8');
export const compose = parse(composeSource, { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
export const services = Object.entries(compose.services);
/** The services of our own image. */
export const ours = services.filter(([, { build }]) => build);

type Given = Readonly<Record<string, string>>;

/**
 * Replaces `${NAME:-default}` as Compose does, from the inside out.
 * @param given the variables of `.env`
 */
export function interpolate(text: string, given: Given = {}): string {
  const once = text.replaceAll(
    /(?<!\$)\$\{([A-Z_]+):-([^{}]*)\}/g,
    (_, name: string, fallback: string) => given[name] ?? fallback,
  );
  return once === text ? text : interpolate(once, given);
}

/** The environment of a container. https://github.com/compose-spec/compose-spec/blob/main/05-services.md#environment */
export function environmentOf({ environment }: ComposeService, given: Given = {}): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment ?? {}).map(([name, value]) => [
      name,
      value === null ? given[name] : interpolate(value, given),
    ]),
  );
}

/** MiB of `640m`, `256mb` or `1g`. */
export function mebibytes(size: string): number {
  const [, amount, unit] = /^(\d+)([mg])b?$/.exec(size)!;
  return Number(amount) * (unit === 'g' ? 1024 : 1);
}

/** Seconds that a process needs to end after the draining, as docs/operations.md tells operators. */
export function secondsToEnd(): number {
  const page = readFileSync('docs/operations.md', 'utf8').replaceAll(/\s+/g, ' ');
  return Number(/Give (?:the|a) process (\d+) seconds more than `DRAIN_SECONDS`/.exec(page)![1]);
}
