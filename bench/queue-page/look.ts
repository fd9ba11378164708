import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../test/support/chromium.js';

/** A picture of the page of the queues. */
interface Look {
  readonly name: string;
  /** Time until the page showed its entries, milliseconds. */
  readonly milliseconds: number;
}

/**
 * Signs in to the page of the queues in Chromium, and takes pictures of it.
 * @param options.folder the folder of the pictures
 * @param options.pages a page that the queue has
 * @returns the pictures, and all that the page complains about
 */
export async function look(
  url: string,
  token: string,
  { folder, pages }: { readonly folder: string; readonly pages: number },
): Promise<{ readonly looks: Look[]; readonly faults: string[] }> {
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  const faults: string[] = [];
  const looks: Look[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(`${url}/queues/sign-in`);
    await page.fill('input[name=token]', token);
    await page.click('button');
    const picture = async (name: string, path: string, shown: (page: Page) => Promise<unknown>): Promise<void> => {
      const begun = performance.now();
      await page.goto(`${url}${path}`);
      await shown(page).catch((error: unknown) => faults.push(`${name}: ${String(error).split('\n')[0]}`));
      looks.push({ name, milliseconds: performance.now() - begun });
      await page.screenshot({ path: join(folder, `${name}.png`) });
    };
    const queue = '/queues/queue/scoring-single';
    await picture('overview', '/queues/', (at) => at.getByText('Loading').waitFor({ state: 'detached' }));
    for (const [name, path] of [
      ['first-entries', `${queue}?status=prioritized`],
      ['later-entries', `${queue}?status=prioritized&page=${pages}`],
    ] as const)
      await picture(name, path, (at) =>
        at
          .getByText(/^#?\s*[0-9a-f]{24}-1/)
          .first()
          .waitFor(),
      );
  } finally {
    await browser.close();
  }
  return { looks, faults };
}
