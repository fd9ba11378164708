import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';

/** Users of the console, both of the organization `look`. */
const users = { clinician: 'anna', admin: 'boss' } as const;
type User = keyof typeof users;

/** The windows in which each page is looked at. */
const windows = {
  light: { viewport: { width: 1100, height: 760 }, colorScheme: 'light' },
  dark: { viewport: { width: 1100, height: 760 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 320, height: 700 }, colorScheme: 'light' },
} as const;

/** The part of a page whose light picture is in docs/console.md. */
const forDocuments: Readonly<Record<string, string>> = {
  worklist: '#content',
  patient: 'section.risk',
  'cohort-reasons': 'section.card:has(figure)',
  'model-quality': 'section.card',
  'model-behaviour': 'section.card:nth-of-type(2)',
  audit: '#content',
};

/** Time for a page to read and to draw all its parts, milliseconds. */
const drawMs = 2_500;

interface LookOptions {
  readonly browser: Browser;
  readonly url: string;
  /** Folder of the pictures. */
  readonly folder: string;
  readonly password: string;
  /** Calls back with what a page complains about. */
  readonly onFault: (text: string) => void;
}

/** Looks at each page of the console in light, dark and narrow windows, and writes a picture of each. */
export async function lookAtConsole(options: LookOptions): Promise<void> {
  const { browser, url, folder, password, onFault } = options;
  const token = await logIn(url, password);
  const jobId = await scoreAll(url, token);
  const patientId = await riskiest(url, token);
  const model = '/models/heart-disease%401.0.0';
  const places: Readonly<Record<User, Readonly<Record<string, string>>>> = {
    clinician: {
      worklist: '/',
      patient: `/patients/${patientId}`,
      cohorts: '/cohorts',
      cohort: `/cohorts/${jobId}`,
      'cohort-reasons': `/cohorts/${jobId}?view=reasons`,
      jobs: '/jobs',
      job: `/jobs/${jobId}`,
      models: '/models',
      model,
      'model-inputs': `${model}?tab=inputs`,
      'model-quality': `${model}?tab=quality`,
      'model-behaviour': `${model}?tab=behaviour&input=age`,
      'model-trial': `${model}?tab=trial`,
    },
    admin: {
      users: '/administration/users',
      'api-keys': '/administration/keys',
      audit: '/administration/audit',
      'break-glass': '/administration/break-glass',
      encryption: '/administration/encryption',
      system: '/administration/system',
    },
  };
  for (const [name, window] of Object.entries(windows)) {
    for (const user of Object.keys(users) as User[]) {
      const context = await browser.newContext({ ...window, locale: 'en-GB', reducedMotion: 'reduce' });
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      page.on('pageerror', (error) => onFault(`${page.url()}: ${String(error)}`));
      page.on('console', (message) => message.type() === 'error' && onFault(`${page.url()}: ${message.text()}`));
      await page.goto(url);
      if (user === 'clinician') await picture(page, join(folder, `console-sign-in-${name}.png`));
      await page.getByLabel('Organization').fill('look');
      await page.getByLabel('Username').fill(users[user]);
      await page.getByLabel('Password').fill(password);
      await page.keyboard.press('Enter');
      await page.locator('header.top').waitFor();
      for (const [place, path] of Object.entries(places[user])) {
        await page.goto(url + path);
        await page.locator('h1').first().waitFor();
        await prepare(page, place);
        await page.waitForTimeout(drawMs);
        if (await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth'))
          onFault(`${path} is wider than the ${name} window`);
        await picture(page, join(folder, `console-${place}-${name}.png`));
        const part = forDocuments[place];
        if (part && name === 'light')
          await page
            .locator(part)
            .first()
            .screenshot({ path: join(folder, `console-${place}.png`) });
      }
      await context.close();
    }
  }
}

/** Fills in what a page shows only after an action. */
async function prepare(page: Page, place: string): Promise<void> {
  if (place === 'audit') await page.getByRole('button', { name: 'Verify the chain' }).click();
  if (place !== 'model-trial') return;
  await page.getByLabel(/^Age/).fill('61');
  await page.getByLabel(/^Sex/).selectOption({ index: 2 });
  await page.getByLabel(/^Chest pain/).selectOption({ index: 4 });
}

const picture = (page: Page, path: string): Promise<unknown> => page.screenshot({ path });

async function post<T>(url: string, query: string, token?: string): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: readonly { message: string }[] };
  if (errors || !data) throw new Error(`the API refused: ${errors?.map(({ message }) => message).join('; ')}`);
  return data;
}

async function logIn(url: string, password: string): Promise<string> {
  const input = `{ organization: "look", username: "${users.clinician}", password: "${password}" }`;
  return (await post<{ login: { accessToken: string } }>(url, `mutation { login(input: ${input}) { accessToken } }`))
    .login.accessToken;
}

/** Scores every patient. @returns the id of the job */
async function scoreAll(url: string, token: string): Promise<string> {
  const { submitBatchScoringJob: job } = await post<{ submitBatchScoringJob: { id: string } }>(
    url,
    'mutation { submitBatchScoringJob(input: { all: true, modelId: "heart-disease" }) { id } }',
    token,
  );
  for (;;) {
    const { scoringJob } = await post<{ scoringJob: { state: string } }>(
      url,
      `{ scoringJob(id: "${job.id}") { state } }`,
      token,
    );
    if (scoringJob.state === 'COMPLETED') return job.id;
    if (!['QUEUED', 'ACTIVE'].includes(scoringJob.state)) throw new Error(`the job ended as ${scoringJob.state}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function riskiest(url: string, token: string): Promise<string> {
  const { patients } = await post<{ patients: { edges: readonly { node: { id: string } }[] } }>(
    url,
    '{ patients(first: 1, orderBy: { field: LATEST_PROBABILITY }) { edges { node { id } } } }',
    token,
  );
  return patients.edges[0]!.node.id;
}
