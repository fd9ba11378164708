import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Closers } from '../../src/closers.js';
import { freePort } from '../../test/support/free-port.js';

/** Prometheus and Alertmanager with the rules of ops/prometheus. */
export interface Monitoring {
  /** The alerts that are in Alertmanager now. */
  active(): Promise<ReadonlySet<string>>;
  /** The alerts that Alertmanager has sent to a receiver so far. */
  readonly notified: ReadonlySet<string>;
  /** The alerts whose end Alertmanager has sent to a receiver so far. */
  readonly resolved: ReadonlySet<string>;
  /** Replaces the processes that Prometheus scrapes. */
  scrape(targets: Readonly<Record<'riskgraph-api' | 'riskgraph-worker', readonly number[]>>): Promise<void>;
}

/** Shortens the durations and the ages of the rules, so that minutes become seconds. Nothing else is changed. */
export function shortened(rules: string): string {
  return rules
    .replaceAll(/^( *for: )\d+[smh]$/gm, '$11s')
    .replaceAll(/\[\d+[mh]\]/g, '[15s]')
    .replaceAll(/> (?:300|120|60)'/g, "> 5'");
}

/** The names of the alerts of the rules. */
export const alertsOf = (rules: string): string[] =>
  [...rules.matchAll(/^ *- alert: (\w+)$/gm)].map(([, name]) => name!);

/**
 * Starts both from the PATH, with their files in a folder. The closers end each part that was started.
 * @param rules the text of the rules
 */
export async function startMonitoring(folder: string, rules: string, closers: Closers): Promise<Monitoring> {
  const [prometheusPort, alertmanagerPort] = await Promise.all([freePort(), freePort()]);
  const notified = new Set<string>();
  const resolved = new Set<string>();
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += String(text)));
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: { status: string; labels: { alertname: string } }[] };
      for (const { status, labels } of alerts) (status === 'firing' ? notified : resolved).add(labels.alertname);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  closers.add(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  const { port: receiverPort } = receiver.address() as AddressInfo;

  const path = (name: string): string => join(folder, name);
  const targetsFile = path('targets.json');
  await writeFile(targetsFile, '[]');
  await writeFile(path('rules.yml'), rules);
  const alertmanager = readFileSync('ops/prometheus/alertmanager.yml', 'utf8')
    .replaceAll('127.0.0.1:9099', `127.0.0.1:${receiverPort}`)
    .replaceAll(/group_wait: \w+|group_interval: \w+/g, (text) => text.replace(/\d+[smh]/, '1s'));
  await writeFile(path('alertmanager.yml'), alertmanager);
  await writeFile(
    path('prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [
        {
          job_name: 'riskgraph',
          file_sd_configs: [{ files: ['targets.json'], refresh_interval: '1s' }],
        },
      ],
    }),
  );
  const children = [
    run('prometheus', [
      `--config.file=${path('prometheus.yml')}`,
      `--storage.tsdb.path=${path('prometheus')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]),
    run('prometheus-alertmanager', [
      `--config.file=${path('alertmanager.yml')}`,
      `--storage.path=${path('alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ]),
  ];
  closers.add(() => Promise.all(children.map(end)));
  await Promise.all([
    whenReady(`http://127.0.0.1:${prometheusPort}/-/ready`),
    whenReady(`http://127.0.0.1:${alertmanagerPort}/-/ready`),
  ]);
  return {
    notified,
    resolved,
    async active() {
      const response = await fetch(`http://127.0.0.1:${alertmanagerPort}/api/v2/alerts`);
      const alerts = (await response.json()) as { labels: { alertname: string } }[];
      return new Set(alerts.map(({ labels }) => labels.alertname));
    },
    scrape: (targets) =>
      writeFile(
        targetsFile,
        JSON.stringify(
          Object.entries(targets).map(([job, ports]) => ({
            labels: { job },
            targets: ports.map((port) => `127.0.0.1:${port}`),
          })),
        ),
      ),
  };
}

const run = (program: string, options: readonly string[]): ChildProcess => spawn(program, options, { stdio: 'ignore' });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

/** Waits until an address answers. @throws Error after two minutes */
export async function whenReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await delay(100);
  }
  throw new Error(`${url} does not answer`);
}
