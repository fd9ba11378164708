/* eslint-disable no-console -- a drill prints */
/**
 * Provokes the alerts of ops/prometheus/rules.yml, one after the other, on a deployment of its own. It waits until the
 * real Alertmanager has each, repairs the fault, and waits until each is gone. It names the alerts without a provocation.
 * Durations and ages of the rules are shortened from minutes to seconds; nothing else is. The rules' own tests (promtool)
 * try the real ones. Needs the build, and prometheus and prometheus-alertmanager (apt-get).
 *
 *   node --import @swc-node/register/esm-register bench/alerts.ts [--real-times] [ALERT...]    by default all of them
 *
 * With --real-times the rules are those of ops/prometheus/rules.yml as they are, for alerts that need minutes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClosers } from '../src/closers.js';
import { startDeployment } from './alerts/deployment.js';
import { alertsOf, shortened, startMonitoring } from './alerts/monitoring.js';
import { provocations, recordBackup } from './alerts/provocations.js';

const realTimes = process.argv.includes('--real-times');
/** Longest time from a fault to its alert, and from its repair to the end of the alert, milliseconds. */
const patienceMs = realTimes ? 420_000 : 60_000;

const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const rules = readFileSync('ops/prometheus/rules.yml', 'utf8');
const all = alertsOf(rules);
const without = all.filter((name) => !provocations.some(({ alerts }) => alerts.includes(name)));
for (const name of without) console.log(`${name} is not provoked`);

const rows: string[] = [];
const sawAny = new Set<string>();
let missed = 0;
const closers = createClosers();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closers.close().finally(() => process.exit(1)));
try {
  const folder = mkdtempSync(join(tmpdir(), 'riskgraph-alerts-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const monitoring = await startMonitoring(folder, realTimes ? rules : shortened(rules), closers);
  const deployment = await startDeployment(folder, closers);
  const active = (): Promise<ReadonlySet<string>> => monitoring.active();
  deployment.onChange = async () => {
    const ports = (kind: string): number[] =>
      [...deployment.members].filter((member) => member.kind === kind).map(({ metricsPort }) => metricsPort);
    await monitoring.scrape({ 'riskgraph-api': ports('api'), 'riskgraph-worker': ports('worker') });
  };
  await deployment.onChange();
  await recordBackup(deployment.models);
  // Rates need some scrapes.
  await delay(6_000);
  for (const { alerts, fault, provoke } of provocations) {
    if (chosen.length > 0 && !alerts.some((alert) => chosen.includes(alert))) continue;
    await until(async () => {
      const firing = await active();
      return alerts.every((alert) => !firing.has(alert));
    });
    const begun = performance.now();
    const repair = await provoke(deployment).catch((error: unknown) => {
      console.log(`${fault}: ${String(error)}`);
      return async () => undefined;
    });
    const seen = new Map<string, string>();
    await until(async () => {
      for (const alert of await active())
        if (alerts.includes(alert) && !seen.has(alert)) seen.set(alert, secondsSince(begun));
      return seen.size === alerts.length;
    });
    // A ticket is sent after a second. An alert that another one inhibits is not sent.
    await until(async () => [...seen.keys()].every((alert) => monitoring.notified.has(alert)), 5_000);
    await repair().catch((error: unknown) => console.log(`not repaired: ${String(error)}`));
    const repaired = performance.now();
    const gone = new Map<string, string>();
    await until(async () => {
      const firing = await active();
      for (const alert of seen.keys())
        if (!firing.has(alert) && !gone.has(alert)) gone.set(alert, secondsSince(repaired));
      return gone.size === seen.size;
    });
    for (const alert of alerts) {
      if (!gone.has(alert)) missed += 1;
      if (seen.has(alert)) sawAny.add(alert);
      rows.push(`| \`${alert}\` | ${fault} | ${seen.get(alert) ?? 'not seen'} | ${gone.get(alert) ?? 'not seen'} |`);
      console.log(rows.at(-1));
    }
  }
  const head = '| alert | provoked by | in Alertmanager after | gone after the repair |\n|---|---|---|---|';
  console.log(`\n${head}\n${rows.join('\n')}\n`);
  const { notified, resolved } = monitoring;
  const unsent = [...sawAny].filter((alert) => !notified.has(alert) || !resolved.has(alert));
  console.log(`${rows.length - missed} of ${all.length} seen and gone again`);
  console.log(`The receiver did not get the beginning and the end of: ${unsent.join(', ') || 'none'}`);
  process.exitCode = missed > 0 || without.length > 0 ? 1 : 0;
} finally {
  await closers.close();
}

/** Waits until a condition holds, or the patience is over. */
async function until(condition: () => Promise<boolean>, limitMs = patienceMs): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition()) && performance.now() < end) await delay(200);
}

function secondsSince(begun: number): string {
  return `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
}
