import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StartupError } from '../errors.js';
import { packageRoot } from '../process/package-root.js';
import { notChecked, type Check } from './checks.js';
import { codeOf, tlsRemedy } from './unreachable.js';

/** Longest time of one request, milliseconds. */
const requestMs = 10_000;

const targetsForm = z.object({
  activeTargets: z.array(
    z.object({ labels: z.record(z.string(), z.string()), health: z.string(), scrapeUrl: z.string() }),
  ),
});
const rulesForm = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ name: z.string() })) })) });
const managersForm = z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) });
const alertsForm = z.array(z.object({ labels: z.record(z.string(), z.string()) }));

/** The addresses of the operator's own monitoring. */
export interface MonitoringAddresses {
  readonly prometheusUrl?: string;
  readonly alertmanagerUrl?: string;
}

/** Checks that Prometheus reads our metrics and has our alerts, and that Alertmanager gets them. */
export function monitoringChecks({ prometheusUrl, alertmanagerUrl }: MonitoringAddresses): Check[] {
  const prometheus = (path: string): Promise<unknown> => ask(below(prometheusUrl!, path), 'Prometheus');
  const ofPrometheus: Check[] =
    prometheusUrl === undefined
      ? ['metrics are scraped', 'alerts are loaded'].map((name) =>
          notChecked(name, 'give the address of Prometheus as --prometheus-url'),
        )
      : [
          {
            name: 'metrics are scraped',
            run: async () => checkTargets(await prometheus('/api/v1/targets?state=active')),
          },
          {
            name: 'alerts are loaded',
            run: async () =>
              checkRules(await prometheus('/api/v1/rules?type=alert'), await prometheus('/api/v1/alertmanagers')),
          },
        ];
  return [
    ...ofPrometheus,
    alertmanagerUrl === undefined
      ? notChecked('no alert is active', 'give the address of Alertmanager as --alertmanager-url')
      : {
          name: 'no alert is active',
          run: async () =>
            checkAlerts(await ask(below(alertmanagerUrl, '/api/v2/alerts?silenced=false'), 'Alertmanager')),
        },
  ];
}

/** An address below that of a server, which may be in a folder of its host. */
const below = (server: string, path: string): URL => new URL(server.replace(/\/*$/, '') + path);

function checkTargets(answer: unknown): string {
  const ours = targetsForm
    .parse(dataOf(answer))
    .activeTargets.filter(({ labels }) => labels.job?.startsWith('riskgraph-'));
  const down = ours.filter(({ health }) => health !== 'up');
  if (ours.length === 0) throw new StartupError('Prometheus has no job riskgraph-…: see ops/prometheus/prometheus.yml');
  if (down.length > 0)
    throw new StartupError(
      `${down.map(({ scrapeUrl }) => scrapeUrl).join(', ')} cannot be read: check METRICS_HOST and METRICS_PORT there`,
    );
  return `${ours.length} processes`;
}

function checkRules(rules: unknown, managers: unknown): string {
  const loaded = new Set(
    rulesForm.parse(dataOf(rules)).groups.flatMap(({ rules: ofGroup }) => ofGroup.map(({ name }) => name)),
  );
  const missing = shippedAlerts().filter((name) => !loaded.has(name));
  if (missing.length > 0)
    throw new StartupError(`Prometheus lacks ${missing.join(', ')}: load ops/prometheus/rules.yml of this release`);
  const { activeAlertmanagers } = managersForm.parse(dataOf(managers));
  if (activeAlertmanagers.length === 0)
    throw new StartupError('Prometheus sends them to no Alertmanager: see "alerting" in its configuration');
  return `${[...loaded].filter((name) => name.startsWith('RiskGraph')).length} of RiskGraph, sent to ${activeAlertmanagers.length} Alertmanager`;
}

function checkAlerts(answer: unknown): string {
  const ours = alertsForm.parse(answer).filter(({ labels }) => labels.alertname?.startsWith('RiskGraph'));
  const named = [...new Set(ours.map(({ labels }) => labels.alertname!))].join(', ');
  if (ours.some(({ labels }) => labels.severity === 'page')) throw new StartupError(`${named}: see docs/runbook.md`);
  return ours.length > 0 ? `but tickets: ${named}` : 'none of RiskGraph';
}

/** The names of the alerts of this release. Empty where the package does not have its ops folder. */
function shippedAlerts(): string[] {
  const file = join(packageRoot(), 'ops/prometheus/rules.yml');
  if (!existsSync(file)) return [];
  return [...readFileSync(file, 'utf8').matchAll(/^ *- alert: (\w+)$/gm)].map(([, name]) => name!);
}

const dataOf = (answer: unknown): unknown => (answer as { data?: unknown }).data;

async function ask(url: URL, name: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestMs) }).catch((error: unknown) => {
    const remedy = tlsRemedy(codeOf(error)) ?? 'check the address';
    throw new StartupError(`${name} does not answer at ${url.origin}: ${remedy}`);
  });
  if (!response.ok) throw new StartupError(`${url.origin} answers ${response.status}: it is no ${name}`);
  return response.json().catch(() => {
    throw new StartupError(`${url.origin} is no ${name}: check the address`);
  });
}
