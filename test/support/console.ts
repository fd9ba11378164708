import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import type { Role } from '../../models/index.js';
import { atEnd } from './at-end.js';
import { chromiumPath } from './chromium.js';
import { createUser, goodPassword, type TestUser } from './identity.js';
import type { System } from './system.js';

/**
 * The browser of a test file. It ends with the file. The tests after this call may take long: a busy machine draws slowly.
 * @param more further arguments of Chromium
 */
export async function startBrowser(more: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...more],
  });
  vi.setConfig({ testTimeout: 300_000 });
  atEnd(async () => {
    vi.resetConfig();
    await browser.close();
  });
  return browser;
}

/** A window on the console, and what went wrong in it. */
export interface ConsoleWindow {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, of its policy and of its console. `checked` expects none. */
  readonly faults: string[];
  /** Signs in as a user. Waits for the shell. */
  signIn(user: TestUser): Promise<void>;
  /** Goes to a place, and waits for its heading. */
  open(path: string): Promise<void>;
  /** Expects no fault so far, and no violation of axe-core in what the page shows now. */
  checked(): Promise<void>;
  close(): Promise<void>;
}

/** Messages of Chromium that name an answer which the page itself shows as an error, e.g. a wrong password. */
const shownByPage = /Failed to load resource: the server responded with a status of (?:401|403|404|429|503)/;

/**
 * Opens a window on the console in German or English.
 * @param options.width of the window, pixels
 */
export async function openConsole(
  browser: Browser,
  system: Pick<System, 'url'>,
  options: {
    readonly width?: number;
    readonly height?: number;
    readonly locale?: string;
    readonly dark?: boolean;
  } = {},
): Promise<ConsoleWindow> {
  const { width = 1280, height = 800, locale = 'en-GB', dark = false } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    locale,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(40_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    const isFault = message.type() === 'error' || message.type() === 'warning';
    if (isFault && !shownByPage.test(message.text())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) =>
       console.error('refused by the policy: ' + event.violatedDirective + ' ' + event.blockedURI))`,
  );
  const open = async (path: string): Promise<void> => {
    await page.goto(`${system.url}${path}`);
    await page.locator('h1').first().waitFor();
  };
  return {
    page,
    context,
    faults,
    open,
    async signIn(user) {
      if (!page.url().startsWith(system.url)) await open('/');
      await page.getByLabel(/^Organi[sz]ation/).fill(user.organization);
      await page.getByLabel(/^(Username|Benutzername)/).fill(user.username);
      await page.getByLabel(/^(Password|Passwort)/).fill(user.password);
      await page.keyboard.press('Enter');
      await page.locator('header.top').waitFor();
      await page.locator('h1').first().waitFor();
    },
    async checked() {
      expect(faults, 'faults of the page').toEqual([]);
      // Evaluated, because the policy of the page refuses a script that is added to it.
      await page.evaluate(axe.source);
      const violations = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
        `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)`,
      );
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    },
    close: () => context.close(),
  };
}

/** Creates a user of a role, opens a window and signs in. */
export async function signedIn(
  browser: Browser,
  system: System,
  role: Role | `${Role}`,
  options?: Parameters<typeof openConsole>[2],
): Promise<ConsoleWindow & { readonly user: TestUser }> {
  const user = await createUser(system, { role, password: goodPassword });
  const window = await openConsole(browser, system, options);
  await window.signIn(user);
  return { ...window, user };
}
