import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { metricNames, readMetrics } from '../support/metrics.js';
import { startSystem } from '../support/system.js';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook: string };
}

const read = (file: string): string => readFileSync(file, 'utf8');
const { groups } = parse(read('ops/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const dashboards = readdirSync('ops/grafana/dashboards').map(
  (file) =>
    JSON.parse(read(`ops/grafana/dashboards/${file}`)) as {
      uid: string;
      title: string;
      panels: { title: string; targets: { expr: string }[] }[];
    },
);
const queries = dashboards.flatMap(({ title, panels }) =>
  panels.flatMap((panel) => panel.targets.map(({ expr }) => [`${title}, ${panel.title}`, expr] as const)),
);

/** Everything that an expression reads. The words in quotes and braces are values of labels. */
const namesIn = (expr: string): string[] =>
  expr
    .replaceAll(/\{[^}]*\}/g, '')
    .match(/\b(?:riskgraph|nodejs|process)[_:][a-z0-9_:]+|\bup\b/g)!
    .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));

test('every query of rules and dashboards reads metrics that API and worker show, or records of the rules', async () => {
  const system = await startSystem();
  const known = await metricNames(`${system.url}/metrics`);
  const records = rules.flatMap(({ record }) => record ?? []);
  // Prometheus makes `up` for each process that it scrapes.
  const readable = new Set([...known, ...records, 'up']);
  const unknown = [...queries, ...rules.map(({ record, alert, expr }) => [record ?? alert!, expr] as const)].flatMap(
    ([place, expr]) =>
      namesIn(expr)
        .filter((name) => !readable.has(name))
        .map((name) => `${place}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('each counter that a rule compares with an earlier value is there before it first counts', async () => {
  const system = await startSystem();
  const samples = [...(await readMetrics(`${system.url}/metrics`)).keys()];
  const counters = new Set(rules.flatMap(({ expr }) => expr.match(/riskgraph_\w+_total(?:\{[^}]*\})?/g) ?? []));
  expect(counters.size).toBeGreaterThan(4);
  const missing = [...counters].filter((counter) => {
    const [name, labels = ''] = counter.replace('}', '').split('{');
    const wanted = labels.split(',').filter(Boolean);
    return !samples.some((sample) => sample.split('{')[0] === name && wanted.every((label) => sample.includes(label)));
  });
  expect(missing).toEqual([]);
});

test('each alert has a severity, a summary, a section in the runbook, and a test; the runbook has no other section', () => {
  const sections = [...read('docs/runbook.md').matchAll(/^## (\S+)$/gm)].map(([, name]) => name!);
  expect(sections).toEqual(alerts.map(({ alert }) => alert));
  const tested = parse(read('ops/prometheus/rules.test.yml')) as {
    tests: { name: string; alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  for (const { alert, labels, annotations } of alerts) {
    expect(labels?.severity).toMatch(/^(page|ticket)$/);
    expect(annotations!.summary).toMatch(/\S/);
    expect(annotations!.runbook).toBe(`docs/runbook.md#${alert!.toLowerCase()}`);
    const tries = tested.tests.flatMap(({ alert_rule_test: tries }) => tries).filter((one) => one.alertname === alert);
    // It is silent at first, and fires later.
    expect(
      tries.map(({ exp_alerts: expected }) => expected.length > 0),
      alert,
    ).toEqual([false, true]);
  }
});

test('each dashboard has an id and a title of its own, and panels', () => {
  expect(dashboards.map(({ uid }) => uid).sort()).toEqual(
    ['database', 'jobs', 'model', 'overview'].map((name) => `riskgraph-${name}`),
  );
  for (const { panels } of dashboards) {
    expect(panels.length).toBeGreaterThan(0);
    for (const { targets } of panels) expect(targets.length).toBeGreaterThan(0);
  }
});
