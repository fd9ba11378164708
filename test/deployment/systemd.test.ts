import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';

const units = ['riskgraph-api.service', 'riskgraph-worker.service'] as const;
const read = (unit: string): string => readFileSync(join('ops/systemd', unit), 'utf8');

/** Writes the units as they are on a machine that has Node.js at another place. */
async function installed(): Promise<string[]> {
  const directory = await temporaryDirectory();
  return units.map((unit) => {
    const file = join(directory, unit);
    writeFileSync(file, read(unit).replaceAll('/usr/bin/node', process.execPath));
    return file;
  });
}

function systemdAnalyze(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

test('systemd accepts the units', async () => {
  expect(systemdAnalyze('verify', '--man=no', ...(await installed()))).toEqual({ status: 0, said: '' });
});

test.each(units)('systemd rates the exposure of %s as OK', (unit) => {
  // Ten times the exposure level.
  const { status, said } = systemdAnalyze('security', '--offline=true', '--threshold=14', join('ops/systemd', unit));
  expect(said).toMatch(/Overall exposure level for \S+: 1\.4 OK/);
  expect(status).toBe(0);
});

test('a unit waits for the drain before it kills, and stops its processes through the first', () => {
  for (const unit of units) {
    const settings = new Map([...read(unit).matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));
    // DRAIN_SECONDS (5), the last connections (4), the close (15), and a margin.
    expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThanOrEqual(5 + 4 + 15 + 10);
    expect(settings.get('KillMode')).toBe('mixed');
    expect(Number(settings.get('LimitNOFILE'))).toBeGreaterThan(20_000);
  }
});

test('both units have the same limits', () => {
  const [api, worker] = units.map((unit) => read(unit).split('KillMode=')[1]);
  expect(api).toBe(worker);
});
