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
import { firstPatient, openConsolePage, spread } from './console-page.js';
import { storeLatestResults } from './jobs/latest-results.js';
import { startBenchSystem } from './jobs/setup.js';

const count = Number(process.argv[2] ?? 100_000);
const rowHeight = 40;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const system = await startBenchSystem(count);
try {
  await storeLatestResults(system);
  const { page, heap, close } = await openConsolePage(system);
  try {
    const row = (index: number) => page.locator(`[role=row][aria-rowindex="${index + 2}"] a`);
    await row(0).waitFor();
    await page.reload();
    const shown = await firstPatient(page);
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

    const before = await heap();
    const jumps: number[] = [];
    for (let turn = 0; turn < 100; turn += 1) jumps.push(await jump((turn * 7_919) % (middle - 20)));
    print(
      `100 jumps to places on a way that was walked: ${spread(jumps)}; memory of the page ${before.toFixed(1)} MiB before, ${(await heap()).toFixed(1)} MiB after`,
    );
  } finally {
    await close();
  }
} finally {
  await system.close();
}
