/*
 * The console as a user feels it: `npm run build`, and then
 * `node --import @swc-node/register/esm-register bench/console.ts [navigations] [rounds]`
 *
 * 1. First load: from the address to the first paint and to the list, with an empty cache of the browser and with a full one.
 * 2. Interaction to next paint (https://web.dev/articles/inp) over a round through all pages of a clinician.
 * 3. Memory of the page over many navigations. Twenty come before the first figure, so that every page is loaded.
 */
import { startWorkers } from '../workers/index.js';
import { firstPatient, openConsolePage, spread } from './console-page.js';
import { startBenchSystem } from './jobs/setup.js';

const navigations = Number(process.argv[2] ?? 1_000);
const rounds = Number(process.argv[3] ?? 5);
const loads = 10;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Keeps the longest event of each interaction, as the definition of the figure asks. */
const observe = `window.interactions = new Map();
  window.observer?.disconnect();
  window.observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => entry.interactionId &&
    window.interactions.set(entry.interactionId, Math.max(entry.duration, window.interactions.get(entry.interactionId) ?? 0))));
  window.observer.observe({ type: 'event', durationThreshold: 16, buffered: false });`;

const system = await startBenchSystem(2_000);
const workers = await startWorkers(system.app);
const { page, url, heap, close } = await openConsolePage(system);
try {
  const { _id: job } = await system.app.submitBatch(system.viewer, { all: true, modelId: 'heart-disease' });
  await page.goto(`${url}/cohorts/${job.toHexString()}`);
  await page.getByText('done').first().waitFor();
  await measureLoads();
  await measureInteractions(`/cohorts/${job.toHexString()}`);
  await measureMemory();
} finally {
  await close();
  await workers.close();
  await system.close();
}

async function measureLoads(): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const cache of ['empty', 'full'] as const) {
    const paints: number[] = [];
    const lists: number[] = [];
    for (let load = 0; load < loads; load += 1) {
      if (cache === 'empty') await session.send('Network.clearBrowserCache');
      await page.goto(url);
      lists.push(await firstPatient(page));
      paints.push(await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`));
    }
    print(`${loads} loads, cache ${cache}: first paint ${spread(paints)}; patients in the list ${spread(lists)}`);
  }
}

async function measureInteractions(cohort: string): Promise<void> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, act] of Object.entries(acts(cohort))) {
      await page.evaluate(observe);
      await act();
      // Two frames later the entries of the last interaction are there.
      await page.evaluate(
        'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))',
      );
      const times = await page.evaluate<number[]>('[...window.interactions.values()]');
      if (round === 0) print(`  ${name}: ${times.length} interactions, slowest ${Math.max(0, ...times)} ms`);
      all.push(...times);
    }
  }
  print(`${all.length} interactions over 16 ms, interaction to next paint: ${spread(all)}`);
}

/** The acts of a round, each on one page. Each begins with a click on a link. */
function acts(cohort: string): Readonly<Record<string, () => Promise<void>>> {
  const press = async (key: string, times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn += 1) await page.keyboard.press(key);
  };
  const link = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  return {
    async worklist() {
      await link('Worklist');
      await page.locator('[role=row][aria-rowindex="2"] a').waitFor();
      await page.getByLabel('Order').selectOption({ index: 1 });
      await page.getByRole('checkbox', { name: 'High', exact: true }).click();
      await page.getByRole('checkbox', { name: 'High', exact: true }).click();
      await page.getByLabel('Order').selectOption({ index: 0 });
      await page.getByRole('grid').focus();
      await press('ArrowDown', 10);
      await press('PageDown', 5);
    },
    async patient() {
      await press('Enter', 1);
      await page.getByRole('button', { name: 'Try other values' }).click();
      const slider = page.getByRole('slider').first();
      await slider.waitFor();
      await slider.focus();
      await press('ArrowRight', 10);
      await page.getByRole('button', { name: 'Show as a table' }).first().click();
      await page.getByRole('button', { name: 'Put all back' }).click();
    },
    async cohort() {
      await link('Cohorts');
      await page.locator(`a[href^="${cohort}"]`).first().click();
      for (const view of await page
        .getByRole('navigation', { name: 'Figures of the cohort' })
        .getByRole('link')
        .all()) {
        await view.click();
        await page.locator('figure').first().waitFor();
      }
    },
    async jobs() {
      await link('Jobs');
      await page.getByRole('grid').waitFor();
      await page.getByLabel('State').selectOption({ index: 1 });
      await page.getByLabel('State').selectOption({ index: 0 });
    },
    async models() {
      await link('Models');
      await page.locator('a[href^="/models/"]').first().click();
      for (const tab of await page.locator('nav.tabs a').all()) await tab.click();
    },
  };
}

async function measureMemory(): Promise<void> {
  const link = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  const steps = [
    () => link('Jobs'),
    () => link('Models'),
    () => link('Cohorts'),
    () => link('Worklist'),
    async () => {
      await page.locator('[role=row][aria-rowindex="2"] a').first().click();
      await page.locator('section.risk').waitFor();
    },
  ];
  const figures: string[] = [];
  for (let turn = 0; turn < navigations + 20; turn += 1) {
    await steps[turn % steps.length]!();
    await page.locator('h1').first().waitFor();
    if (turn >= 19 && (turn - 19) % Math.ceil(navigations / 5) === 0)
      figures.push(`${turn - 19}: ${(await heap()).toFixed(1)} MiB`);
  }
  print(`memory of the page after navigations ${figures.join(', ')}, ${navigations}: ${(await heap()).toFixed(1)} MiB`);
}
