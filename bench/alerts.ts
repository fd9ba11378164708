/* eslint-disable no-console -- a drill prints */
/**
 * Provokes the alerts of ops/prometheus/rules.yml, one after the other, on a deployment of its own, and waits until the
 * real Alertmanager has each. It names the alerts without a provocation. Durations and ages of the rules are shortened
 * from minutes to seconds; nothing else is. The rules' own tests (promtool) try the real ones. Needs the build, and
 * prometheus and prometheus-alertmanager (apt-get).
 *
 *   node --import @swc-node/register/esm-register bench/alerts.ts [ALERT...]    by default all of them
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClosers } from '../src/closers.js';
import { startDeployment } from './alerts/deployment.js';
import { alertsOf, startMonitoring } from './alerts/monitoring.js';
import { notProvoked, provocations, recordBackup } from './alerts/provocations.js';

/** Longest time from a fault to its alert, milliseconds. */
const patienceMs = 60_000;

const chosen = process.argv.slice(2);
const all = alertsOf(readFileSync('ops/prometheus/rules.yml', 'utf8'));
const without = all.filter((name) => !provocations.some(({ alerts }) => alerts.includes(name)));
for (const name of without) console.log(`${name} is not provoked: ${notProvoked[name] ?? 'it is new'}`);

const rows: string[] = [];
let missed = 0;
const closers = createClosers();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closers.close().finally(() => process.exit(1)));
try {
  const folder = mkdtempSync(join(tmpdir(), 'riskgraph-alerts-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const monitoring = await startMonitoring(folder, closers);
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
        if (alerts.includes(alert) && !seen.has(alert)) seen.set(alert, `${seconds(performance.now() - begun)} s`);
      return seen.size === alerts.length;
    });
    await repair().catch((error: unknown) => console.log(`not repaired: ${String(error)}`));
    for (const alert of alerts) {
      if (!seen.has(alert)) missed += 1;
      rows.push(`| \`${alert}\` | ${fault} | ${seen.get(alert) ?? 'not seen'} |`);
      console.log(rows.at(-1));
    }
  }
  const notified = all.filter((alert) => monitoring.notified.has(alert));
  console.log(`\n| alert | provoked by | in Alertmanager after |\n|---|---|---|\n${rows.join('\n')}\n`);
  console.log(`${rows.length - missed} of ${all.length} seen, ${notified.length} sent to a receiver`);
  process.exitCode = missed > 0 || without.some((name) => !(name in notProvoked)) ? 1 : 0;
} finally {
  await closers.close();
}

/** Waits until a condition holds, or the patience is over. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition()) && performance.now() < end) await delay(200);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
