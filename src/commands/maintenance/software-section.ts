import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Connection } from 'mongoose';
import { StartupError } from '../../errors.js';
import { compareVersions } from '../../process/compare-versions.js';
import { packageRoot, packageVersion } from '../../process/package-root.js';
import { storedDataVersion } from '../../storage/data-version.js';
import type { Section } from './section.js';

const run = promisify(execFile);
/** Longest time of one call of npm, milliseconds. */
const npmTimeoutMs = 60_000;

/**
 * Last day of each major version of Node.js that RiskGraph runs on.
 * https://github.com/nodejs/release#release-schedule
 */
const lastDays: Readonly<Record<string, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** A package that has a newer version, as `npm outdated --json` says it. */
interface Outdated {
  readonly current?: string;
  readonly latest?: string;
}

/** How the section learns about software outside this process. */
interface SoftwareSources {
  readonly database: Connection;
  /** Version of Redis; undefined when it does not answer. */
  readonly redisVersion: string | undefined;
  /** Asks the package registry for newer versions of the packages. */
  readonly askRegistry: boolean;
}

/** Tells the versions of everything that runs, until when Node.js is maintained, and which packages have newer versions. */
export async function softwareSection(
  { database, redisVersion, askRegistry }: SoftwareSources,
  now = new Date(),
): Promise<Section> {
  const { version: mongodb } = (await database.db!.admin().command({ buildInfo: 1 })) as { version: string };
  const packages = askRegistry ? await outdatedPackages() : [];
  return {
    title: 'Software',
    columns: ['what', 'here', 'released', 'newest', 'released'],
    rows: [
      ['RiskGraph', packageVersion(), '', '', ''],
      ['stored data', `version ${(await storedDataVersion(database)) ?? 'none'}`, '', '', ''],
      ['Node.js', process.versions.node, '', '', ''],
      ['MongoDB', mongodb, '', '', ''],
      ['Redis', redisVersion ?? 'does not answer', '', '', ''],
      ...packages,
    ],
    remarks: [
      nodeRemark(process.versions.node, now),
      askRegistry
        ? `${packages.length} packages have newer versions.`
        : 'With --outdated, the package registry is asked for newer versions of the packages.',
    ],
  };
}

/** Says how long a version of Node.js is maintained. */
export function nodeRemark(version: string, now: Date): string {
  const [major] = version.split('.') as [string];
  const last = lastDays[major];
  if (last === undefined) return `Node.js ${major} is no version that RiskGraph knows: use 24.`;
  const days = Math.ceil((Date.parse(last) - now.getTime()) / 86_400_000);
  return days < 0
    ? `Node.js ${major} gets no security fixes since ${last}: go to 24.`
    : `Node.js ${major} gets security fixes until ${last}, for ${days} days.`;
}

/** Compares versions of packages. A preview is below its release. https://semver.org/#spec-item-11 */
function comparePackages(left: string, right: string): number {
  const [[a, x], [b, y]] = [left, right].map((version) => {
    const [, numbers, preview] = /^([\d.]+)(?:-([^+]*))?/.exec(version) ?? [];
    return [numbers ?? '0', preview] as const;
  }) as [readonly [string, string | undefined], readonly [string, string | undefined]];
  const difference = compareVersions(a, b);
  if (difference !== 0 || x === y) return difference;
  if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
  return x.localeCompare(y, 'en', { numeric: true });
}

/** Tells whether the newest version is above that here: npm also names one below it, where ours is a preview. */
export const isNewer = ({ current, latest }: Outdated): boolean =>
  current === undefined || latest === undefined || comparePackages(latest, current) > 0;

/** The packages with newer versions, each with the days on which both were released. */
async function outdatedPackages(): Promise<string[][]> {
  // npm ends with 1 when it finds some.
  const { stdout } = await npm(['outdated', '--json', '--omit=dev']);
  const parsed = JSON.parse(stdout || '{}') as Record<string, Outdated>;
  // npm tells its own failure in the same form.
  if (parsed.error && parsed.error.latest === undefined) throw noRegistry();
  const outdated = Object.entries(parsed).filter(([, versions]) => isNewer(versions));
  const rows: string[][] = [];
  for (const [name, { current = 'none', latest = 'none' }] of outdated) {
    const times = await npm(['view', name, 'time', '--json']).then(
      (answer) => JSON.parse(answer.stdout || '{}') as Record<string, string>,
    );
    const day = (version: string): string => times[version]?.slice(0, 10) ?? '';
    rows.push([name, current, day(current), latest, day(latest)]);
  }
  return rows;
}

const npm = (parameters: string[]): Promise<{ readonly stdout: string }> =>
  run('npm', parameters, { cwd: packageRoot(), maxBuffer: 16 * 1024 * 1024, timeout: npmTimeoutMs }).catch(
    (error: { stdout?: string }) => {
      if (error.stdout) return { stdout: error.stdout };
      throw noRegistry();
    },
  );

const noRegistry = (): StartupError =>
  new StartupError('npm or the package registry does not answer: run the report without --outdated.');
