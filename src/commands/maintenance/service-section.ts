import { StartupError } from '../../errors.js';
import { percent, type Section } from './section.js';

/** Longest time of one scrape, milliseconds. */
const scrapeMs = 10_000;
/** Most operations that are listed. */
const listed = 15;

/** One sample of a metric: its labels and its value. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads samples in Prometheus' text format.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function readSamples(text: string): Sample[] {
  return [...text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => ({
    name: name!,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, given]) => [label!, given!]),
    ),
    value: Number(value),
  }));
}

/**
 * Tells the error rates and the slowest operations since the start of the processes, from their metrics.
 * @param urls address of `/metrics` of each process
 * @throws StartupError when a process does not answer
 */
export async function serviceSection(urls: readonly string[]): Promise<Section> {
  const title = 'Operations since the start of the processes';
  const columns = ['operation', 'calls', 'failed', 'mean ms', '99 % within ms'];
  if (urls.length === 0) {
    const hint = 'Name the metrics of each process with --metrics-url, e.g. http://10.0.0.5:9464/metrics.';
    return { title, columns, rows: [], remarks: [hint] };
  }
  const samples = (await Promise.all(urls.map(scrape))).flat();
  const operations = histograms(samples, 'riskgraph_graphql_operation_duration_seconds');
  const all = operations.reduce((sum, { count }) => sum + count, 0);
  const failed = operations.reduce((sum, each) => sum + each.failed, 0);
  const codes = samples.filter(({ name, value }) => name === 'riskgraph_graphql_errors_total' && value > 0);
  const [mongodb] = histograms(samples, 'riskgraph_mongodb_operation_duration_seconds');
  return {
    title,
    columns,
    rows: operations
      .sort((a, b) => b.seconds / b.count - a.seconds / a.count)
      .slice(0, listed)
      .map((each) => [each.name, each.count, each.failed, milliseconds(each.seconds / each.count), within(each, 0.99)]),
    remarks: [
      `${failed} of ${all} operations failed${all === 0 ? '' : ` (${percent(failed, all)})`}.`,
      ...codeLine(codes),
      ...(mongodb ? [`MongoDB: ${mongodb.count} operations, 99 % within ${within(mongodb, 0.99)} ms.`] : []),
      'MongoDB logs each command above 100 ms ("Slow query" in its log).',
    ],
  };
}

async function scrape(url: string): Promise<Sample[]> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(scrapeMs) }).catch(() => undefined);
  if (!answer?.ok)
    throw new StartupError(`${url} gives no metrics: check METRICS_PORT and METRICS_HOST of the process`);
  return readSamples(await answer.text());
}

interface Histogram {
  readonly name: string;
  count: number;
  failed: number;
  seconds: number;
  /** Number of observations up to each bound in seconds. */
  readonly buckets: Map<number, number>;
}

/** Adds up a histogram over all processes and outcomes, by operation. */
function histograms(samples: readonly Sample[], metric: string): Histogram[] {
  const found = new Map<string, Histogram>();
  for (const { name, labels, value } of samples) {
    if (!name.startsWith(metric)) continue;
    const operation = labels.operation ?? metric;
    const entry = found.get(operation) ?? { name: operation, count: 0, failed: 0, seconds: 0, buckets: new Map() };
    found.set(operation, entry);
    if (name === `${metric}_sum`) entry.seconds += value;
    if (name === `${metric}_count`) {
      entry.count += value;
      if (labels.outcome !== undefined && labels.outcome !== 'ok') entry.failed += value;
    }
    if (name === `${metric}_bucket` && labels.le !== '+Inf')
      entry.buckets.set(Number(labels.le), (entry.buckets.get(Number(labels.le)) ?? 0) + value);
  }
  return [...found.values()].filter(({ count }) => count > 0);
}

const milliseconds = (seconds: number): string => (seconds * 1_000).toFixed(1);

/** The smallest bound of the histogram that has `part` of the observations below it. */
function within({ buckets, count }: Histogram, part: number): string {
  const bound = [...buckets].sort(([a], [b]) => a - b).find(([, below]) => below >= part * count);
  return bound ? String(Math.round(bound[0] * 1_000)) : 'more than all bounds';
}

/** The errors of all answers and events. An operation may have several, and a request that is refused before it runs has some too. */
function codeLine(codes: readonly Sample[]): string[] {
  const byCode = new Map<string, number>();
  for (const { labels, value } of codes) byCode.set(labels.code!, (byCode.get(labels.code!) ?? 0) + value);
  if (byCode.size === 0) return [];
  const all = [...byCode.values()].reduce((sum, count) => sum + count, 0);
  const list = [...byCode].map(([code, count]) => `${code} ${count}`).join(', ');
  return [
    `${all} errors in answers and events: ${list}. These are errors, not operations: one may have several, and requests that were ` +
      'refused before they ran count here alone.',
  ];
}
