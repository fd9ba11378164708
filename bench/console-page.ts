import { chromium, type Page } from 'playwright-core';
import { Role } from '../models/index.js';
import { startApi } from '../src/api.js';
import { chromiumPath } from '../test/support/chromium.js';
import { percentile, type BenchSystem } from './jobs/setup.js';

/** A window of the console in Chromium, signed in as a clinician. */
interface ConsolePage {
  readonly page: Page;
  readonly url: string;
  /** Memory of the scripts of the page after a garbage collection, MiB. */
  heap(): Promise<number>;
  close(): Promise<void>;
}

/** Serves the console over the system's app, and signs a new clinician in. */
export async function openConsolePage({ app, viewer }: Pick<BenchSystem, 'app' | 'viewer'>): Promise<ConsolePage> {
  const password = 'seven violet ladders under glass';
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
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(120_000);
    await page.goto(server.url);
    await page.getByLabel('Organization').fill('bench');
    await page.getByLabel('Username').fill('anna');
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
    await page.locator('header.top').waitFor();
    const session = await page.context().newCDPSession(page);
    return {
      page,
      url: server.url,
      async heap() {
        await session.send('HeapProfiler.collectGarbage');
        return (await session.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Writes the percentiles of times in milliseconds. */
export function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  return [50, 95, 99].map((percent) => `p${percent} ${percentile(sorted, percent).toFixed(0)} ms`).join(', ');
}

/** The time from the start of the page to the first patient in its list, milliseconds. */
export const firstPatient = (page: Page): Promise<number> =>
  page.evaluate<number>(`new Promise((done) => {
    const look = () =>
      document.querySelector('[role=row][aria-rowindex="2"] a') ? done(performance.now()) : requestAnimationFrame(look);
    look();
  })`);
