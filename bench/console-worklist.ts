/*
 * The worklist of the console at size: `npm run build`, and then
 * `node --import @swc-node/register/esm-register bench/console-worklist.ts [patients]`
 *
 * 1. Stores patients with a latest result each, and starts the API.
 * 2. Signs in with Chromium, and prints the time until the first rows are there.
 * 3. Scrolls with the wheel, and prints the times between frames.
 * 4. Presses arrow keys, and prints the time from a key to the next paint.
 * 5. Jumps to places of the list, and prints the time until their rows are there.
 * 6. Jumps a hundred times more, and prints the memory of the page before and after.
 */
import { chromium } from 'playwright-core';
import { Role } from '../models/index.js';
import { startApi } from '../src/api.js';
import { chromiumPath } from '../test/support/chromium.js';
import { storeLatestResults } from './jobs/latest-results.js';
import { percentile, startBenchSystem } from './jobs/setup.js';

const count = Number(process.argv[2] ?? 100_000);
const password = 'seven violet ladders under glass';
const rowHeight = 40;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const spread = (values: number[]): string => {
  const sorted = values.sort((left, right) => left - right);
  return `p50 ${percentile(sorted, 50).toFixed(1)} ms, p95 ${percentile(sorted, 95).toFixed(1)} ms, p99 ${percentile(sorted, 99).toFixed(1)} ms`;
};

const { app, viewer, close } = await startBenchSystem(count);
await storeLatestResults({ app, viewer });
const server = await startApi(app);
const admin = await app.accessTokens.sign(
  { username: 'bench-admin', role: Role.ADMIN, organizationId: viewer.organizationId },
  3600,
);
await fetch(`${server.url}/graphql`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
  body: JSON.stringify({
    query: 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
    variables: { input: { username: 'anna', role: 'CLINICIAN', password } },
  }),
});

const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
page.setDefaultTimeout(120_000);
const row = (index: number) => page.locator(`[role=row][aria-rowindex="${index + 2}"] a`);
await page.goto(server.url);
await page.getByLabel('Organization').fill('bench');
await page.getByLabel('Username').fill('anna');
await page.getByLabel('Password').fill(password);
await page.keyboard.press('Enter');
await row(0).waitFor();
await page.reload();
const shown = await page
  .waitForFunction(`document.querySelector('[role=row][aria-rowindex="2"] a') && performance.now()`)
  .then((time) => time.jsonValue() as Promise<number>);
print(`first rows of ${count.toLocaleString('en')} after a reload: ${shown.toFixed(0)} ms`);

await page.evaluate(`window.frames_ = []; window.watch = true;
  requestAnimationFrame(function next(time) {
    if (window.last) window.frames_.push(time - window.last);
    window.last = time;
    if (window.watch) requestAnimationFrame(next);
  })`);
await page.mouse.move(700, 600);
for (let turn = 0; turn < 200; turn += 1) await page.mouse.wheel(0, 400);
const frames = await page.evaluate<number[]>('window.watch = false, window.frames_');
print(`wheel over ${(200 * 400) / rowHeight} rows, time between frames: ${spread(frames)}`);

await page.evaluate(`window.presses = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => entry.name === 'keydown' && window.presses.push(entry.duration)))
    .observe({ type: 'event', durationThreshold: 16, buffered: false })`);
await page.getByRole('grid').focus();
for (let turn = 0; turn < 100; turn += 1) await page.keyboard.press(turn % 5 === 4 ? 'PageDown' : 'ArrowDown');
const slow = await page.evaluate<number[]>('window.presses');
const presses = [...slow, ...Array.from({ length: Math.max(0, 100 - slow.length) }, () => 16)];
print(`100 keys, from the key to the next paint (16 ms or less counts as 16): ${spread(presses)}`);

async function jump(index: number): Promise<number> {
  const begun = performance.now();
  await page.evaluate(`document.querySelector('[role=grid]').scrollTop = ${index * rowHeight}`);
  await row(index + 3).waitFor();
  return performance.now() - begun;
}
const middle = Math.floor(count / 2);
print(`the last rows: ${(await jump(count - 20)).toFixed(0)} ms`);
print(`row ${middle.toLocaleString('en')}, the farthest from both ends: ${(await jump(middle)).toFixed(0)} ms`);
print(`the first rows again: ${(await jump(0)).toFixed(0)} ms`);
print(`row ${middle.toLocaleString('en')} again: ${(await jump(middle)).toFixed(0)} ms`);

const session = await page.context().newCDPSession(page);
async function heap(): Promise<string> {
  await session.send('HeapProfiler.collectGarbage');
  return `${((await session.send('Runtime.getHeapUsage')).usedSize / 2 ** 20).toFixed(1)} MiB`;
}
const before = await heap();
const jumps: number[] = [];
for (let turn = 0; turn < 100; turn += 1) jumps.push(await jump((turn * 7_919) % (middle - 20)));
print(
  `100 jumps to places on a way that was walked: ${spread(jumps)}; memory of the page ${before} before, ${await heap()} after`,
);

await browser.close();
await server.close();
await close();
