/**
 * Looks at the explorer pages in Chromium, with a RiskGraph of its own: the offer of GraphiQL where Apollo's servers are
 * not reached, no offer where they are, and GraphiQL with a log-in, a query and a subscription. Then looks at each page of
 * the console in light, dark and narrow windows. Writes a picture of each.
 *
 *   npm run build && npm run look [FOLDER]    FOLDER of the pictures, by default a new one below the temporary folder
 *
 * Needs a Chromium on the PATH (Debian: apt-get install chromium), or the path of one in CHROMIUM.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../test/support/chromium.js';
import { lookAtConsole } from './look-console.js';

const pictures = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'riskgraph-look-'));
mkdirSync(pictures, { recursive: true });
const dataDirectory = mkdtempSync(join(tmpdir(), 'riskgraph-look-data-'));
const password = 'seven violet ladders under glass';
const environment = { ...process.env, DATA_DIRECTORY: dataDirectory, PORT: '0' };

/** Runs a command of the build and returns its output. */
function run(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['dist/src/cli.js', ...args], { env: environment });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.stdin.end(input);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${args.join(' ')} failed: ${output}`)),
    );
  });
}

/** Starts `riskgraph up` and returns its address and its end. */
function up(): Promise<{ url: string; stop: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['dist/src/cli.js', 'up'], { env: environment });
    const ended = new Promise<void>((end) => child.on('close', () => end()));
    let output = '';
    const read = (text: Buffer): void => {
      output += String(text);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (url)
        resolve({
          url,
          stop: () => {
            child.kill('SIGINT');
            return ended;
          },
        });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`riskgraph up ended: ${output}`)));
  });
}

/** Reports what the page itself complains about; a refusal by its policy is a fault. */
function listen(page: Page, faults: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
}

async function replaceText(page: Page, editor: string, text: string): Promise<void> {
  await page.locator(`${editor} .monaco-editor`).first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

/** The words of a query have several colours, and the pop-up of completions covers the text below it. */
async function lookAtColours(page: Page): Promise<void> {
  await replaceText(page, '.graphiql-query-editor', 'query Colours { viewer { username } # words\n  ');
  await page.keyboard.press('Control+Space');
  const popUp = page.locator('.suggest-widget.visible').first();
  await popUp.waitFor();
  // Texts, because this file is checked without the types of a page.
  const colours = await page.evaluate<string[]>(
    `[...document.querySelectorAll('.graphiql-query-editor .view-line span span')].map((word) => getComputedStyle(word).color)`,
  );
  if (new Set(colours).size < 2) faults.push(`all words have one colour: ${colours.join(', ')}`);
  const background = await page.evaluate<string>(
    `getComputedStyle(document.querySelector('.suggest-widget.visible')).backgroundColor`,
  );
  if (/^(?:transparent|rgba\(.*, 0\))$/.test(background)) faults.push('the pop-up of completions has no background');
  await page.keyboard.press('Escape');
}

const server = await up();
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: ['--no-sandbox'],
});
const context = await browser.newContext({ viewport: { width: 1400, height: 850 } });
context.setDefaultTimeout(90_000);
const faults: string[] = [];
try {
  await run(
    ['user', 'create', '--org', 'look', '--create-org', '--role', 'CLINICIAN', '--username', 'anna'],
    `${password}\n`,
  );

  const blocked = await context.newPage();
  await blocked.goto(`${server.url}/graphql`, { waitUntil: 'commit' });
  await blocked.locator('#graphiql-offer').waitFor();
  await blocked.screenshot({ path: join(pictures, '1-sandbox-not-reached.png') });

  // Stands for Apollo's servers, which a test must not need: the script makes the frame, and the frame speaks.
  const reached = await context.newPage();
  await reached.route('https://embeddable-sandbox.cdn.apollographql.com/**', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `window.EmbeddedSandbox = class { constructor() { const f = document.createElement('iframe');
        f.src = 'https://sandbox.embed.apollographql.com/'; document.querySelector('#embeddableSandbox').append(f); } }`,
    }),
  );
  await reached.route('https://sandbox.embed.apollographql.com/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<h1>A stand-in of the Sandbox</h1><script>parent.postMessage({ name: 'SandboxListening' }, '*')</script>`,
    }),
  );
  await reached.goto(`${server.url}/graphql`);
  await reached.waitForTimeout(7_000);
  if (await reached.locator('#graphiql-offer').count())
    faults.push('GraphiQL is offered although the Sandbox is there');
  await reached.screenshot({ path: join(pictures, '2-sandbox-reached.png') });

  const page = await context.newPage();
  listen(page, faults);
  await blocked.getByText('Open GraphiQL').click();
  await blocked.waitForURL('**/graphiql');
  await page.goto(`${server.url}/graphiql`);
  await page.getByLabel('Organization').fill('look');
  await page.getByLabel('Username').fill('anna');
  await page.getByLabel('Password').fill(password);
  await page.screenshot({ path: join(pictures, '3-log-in.png') });
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('#who').waitFor();
  await lookAtColours(page);
  await page.screenshot({ path: join(pictures, '4-colours-and-pop-up.png') });
  const execute = page.locator('.graphiql-execute-button');
  const response = page.locator('.graphiql-response .view-lines');
  await replaceText(
    page,
    '.graphiql-query-editor',
    'mutation { createPatient(input: { mrn: "LOOK-1", birthDate: "1958-04-12", sex: MALE, features: [{ code: "chest_pain_type", value: 4 }, { code: "resting_bp", value: 145 }, { code: "cholesterol", value: 289 }, { code: "max_heart_rate", value: 118 }, { code: "exercise_angina", value: 1 }, { code: "st_depression", value: 2.1 }] }) { id } }',
  );
  await execute.click();
  await response.getByText('createPatient').waitFor();
  const patientId = /"id": ?"(\w{24})"/.exec((await response.innerText()).replaceAll(/\s+/g, ' '))![1]!;
  await replaceText(
    page,
    '.graphiql-query-editor',
    `mutation { submitScoringJob(input: { patientId: "${patientId}", modelId: "heart-disease" }) { id state } }`,
  );
  await execute.click();
  await response.getByText('submitScoringJob').waitFor();
  await page.screenshot({ path: join(pictures, '5-mutation.png') });
  const jobId = /"id": ?"(\w{24})"/.exec((await response.innerText()).replaceAll(/\s+/g, ' '))![1]!;
  await replaceText(
    page,
    '.graphiql-query-editor',
    `subscription { scoringJobUpdated(id: "${jobId}", after: 0) { sequence collapsed job { state progress { stage percent } prediction { probability riskBand } } } }`,
  );
  await execute.click();
  await response.getByText('COMPLETED').waitFor();
  await page.screenshot({ path: join(pictures, '6-subscription.png') });
  await page.getByRole('button', { name: /GraphiQL Explorer/ }).click();
  await page.locator('.docExplorerWrap, .graphiql-explorer-root').first().waitFor();
  await page.screenshot({ path: join(pictures, '7-explorer.png') });

  await run(['user', 'create', '--org', 'look', '--role', 'ADMIN', '--username', 'boss'], `${password}\n`);
  await run(['seed', '--org', 'look', '--patients', '120']);
  const onFault = (text: string): void => void faults.push(text);
  await lookAtConsole({ browser, url: server.url, folder: pictures, password, onFault });
} finally {
  await browser.close();
  await server.stop();
  rmSync(dataDirectory, { recursive: true, force: true });
}
for (const fault of faults) process.stdout.write(`fault: ${fault}\n`);
process.stdout.write(`The pictures are in ${pictures}\n`);
process.exit(faults.length > 0 ? 1 : 0);
