/*
 * The worklist at size: `node --import @swc-node/register/esm-register bench/worklist.ts [patients] [rows per page]`
 *
 * 1. Stores patients, and one prediction of each in blocks, as a batch does. The probabilities are random.
 * 2. Writes their latest results, and prints how many per second.
 * 3. Reads the list "highest risk first" from cursor to cursor, through the patient service, with audit and decryption.
 * 4. Prints the plan of a page in the middle, and checks that no patient was missed, repeated or out of order.
 */
import mongoose from 'mongoose';
import { storeLatestResults } from './jobs/latest-results.js';
import { percentile, startBenchSystem } from './jobs/setup.js';

const count = Number(process.argv[2] ?? 100_000);
const first = Number(process.argv[3] ?? 100);
const order = { latest: 'PROBABILITY', direction: -1 } as const;
const milliseconds = (sorted: readonly number[], percent: number): string => percentile(sorted, percent).toFixed(1);

const { app, viewer, close } = await startBenchSystem(count);
const { patients, registry } = app;
const { manifest } = registry.list()[0]!;
const perSecond = await storeLatestResults({ app, viewer });
process.stdout.write(`latest results written: ${perSecond} patients/s\n`);

const times: number[] = [];
const seen = new Set<string>();
let last = Number.POSITIVE_INFINITY;
let faults = 0;
for (let after: string | null = null; ;) {
  const begun = performance.now();
  const page = await patients.list(viewer, { first, after }, {}, order);
  times.push(performance.now() - begun);
  for (const { node } of page.edges) {
    const { value } = node.latestResults![manifest.id]!;
    if (value > last || seen.has(node._id.toHexString())) faults += 1;
    last = value;
    seen.add(node._id.toHexString());
  }
  if (!page.hasNextPage) break;
  after = page.edges.at(-1)!.cursor;
}
const sorted = [...times].sort((a, b) => a - b);
process.stdout.write(
  `${seen.size} of ${count} patients in ${times.length} pages of ${first}, ${faults} out of place; per page p50 ` +
    `${milliseconds(sorted, 50)} ms, p99 ${milliseconds(sorted, 99)} ms; last ten pages p50 ` +
    `${milliseconds(
      times.slice(-10).sort((a, b) => a - b),
      50,
    )} ms\n`,
);

const { Collection } = mongoose.mongo;
const { find } = Collection.prototype;
let explained: unknown;
Collection.prototype.find = function (this: mongoose.mongo.Collection, ...call: Parameters<typeof find>) {
  const cursor = find.apply(this, call);
  if (this.collectionName === 'patients') explained = cursor.clone().explain('executionStats');
  return cursor;
} as typeof find;
await patients.list(viewer, { first }, { maximumLatestProbability: 0.5 }, order);
Collection.prototype.find = find;
const { executionStats } = (await explained) as {
  executionStats: { nReturned: number; totalKeysExamined: number; totalDocsExamined: number; executionStages: object };
};
const stages = JSON.stringify(executionStats.executionStages).match(/"stage":"[A-Z_]+"/g);
process.stdout.write(
  `plan: ${stages?.join(' ')}; ${executionStats.nReturned} rows from ${executionStats.totalKeysExamined} keys and ` +
    `${executionStats.totalDocsExamined} documents\n`,
);
await close();
