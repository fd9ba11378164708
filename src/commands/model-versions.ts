import Table from 'cli-table3';
import { Command } from 'commander';
import { basename, resolve } from 'node:path';
import { StartupError } from '../errors.js';
import { bundleHash, readBundle } from '../risk/bundle/bundle-files.js';
import { InvalidModelError, oneLine } from '../risk/errors.js';
import { loadBundleFiles } from '../risk/load-risk-model.js';
import { versionName } from '../risk/model-name.js';
import { requireSameUnits } from '../risk/unit-conflict.js';
import { commandConfig } from './environment.js';
import { printLine } from './print.js';
import { withModelAdministration, type ListedVersion, type ModelAdministration } from './model-administration.js';

/** Most versions that are offered at the same time: every process has all of them in memory. */
const mostOffered = 50;

/** The commands that bring versions of risk models into a running deployment, and take them out of service. */
export function modelVersionCommands(): Command[] {
  return [
    new Command('add')
      .description('check a bundle and bring it into the running deployment; every process serves it within seconds')
      .argument('<directory>', 'bundle directory')
      .action(add),
    new Command('list').description('print every version, its state and where it is from').action(list),
    new Command('default')
      .description('use this version for jobs that name none')
      .argument('<id@version>', 'the version')
      .action(makeDefault),
    new Command('retire')
      .description('offer a version no longer; its predictions can still be explained and verified')
      .argument('<id@version>', 'the version')
      .option('--yes', 'retire it even if it is the last one that is offered')
      .action(retire),
  ];
}

async function add(directory: string): Promise<void> {
  const files = await readBundle(directory);
  // These are the checks that every process makes before it serves the bundle.
  const model = await loadBundleFiles(basename(resolve(directory)), files);
  await model.close();
  const { id, version } = model.manifest;
  const name = versionName(id, version);
  await withModelAdministration(commandConfig(), async (administration) => {
    const versions = await administration.versions();
    const present = versions.find((known) => known.name === name);
    if (present && present.hash !== bundleHash(files))
      throw new InvalidModelError(
        `risk model ${name}`,
        'the deployment has this version with other files',
        'raise the version in its manifest.json: the files of a version never change',
      );
    requireSameUnits(
      model.manifest,
      versions.flatMap(({ manifest }) => manifest ?? []),
    );
    const offered = versions.filter((known) => !known.retiredAt && known.name !== name);
    if (offered.length >= mostOffered)
      throw new StartupError(
        `${offered.length} versions are offered, and the limit is ${mostOffered}: retire one first.`,
      );
    await administration.recorded(name, (store) => store.add(id, version, files));
    printLine(
      !present?.stored
        ? `${name} was added (SHA-256 of model.onnx ${model.sha256})`
        : present.retiredAt
          ? `${name} is offered again`
          : `${name} was there already, and its files were written again`,
    );
    await sayDefault(administration, id);
  });
}

async function makeDefault(name: string): Promise<void> {
  await withModelAdministration(commandConfig(), async (administration) => {
    const { id } = await ensureStored(administration, name);
    const chosen = await administration.recorded(name, (store) => store.choose(name));
    if (!chosen)
      throw new StartupError(
        `${name} is retired: offer it again with "riskgraph model add", or choose another version.`,
      );
    await sayDefault(administration, id);
  });
}

async function retire(name: string, { yes = false }: { readonly yes?: boolean }): Promise<void> {
  await withModelAdministration(commandConfig(), async (administration) => {
    if (!yes) refuseLast(name, await administration.versions());
    const { id } = await ensureStored(administration, name);
    const retired = await administration.recorded(name, (store) => store.retire(name));
    printLine(retired ? `${name} is retired` : `${name} was retired before`);
    await sayDefault(administration, id);
  });
}

/** @throws StartupError for the last version of any model that is offered: without it nothing can be scored */
function refuseLast(name: string, versions: readonly ListedVersion[]): void {
  const offered = versions.filter(({ retiredAt, fault }) => !retiredAt && fault === undefined);
  if (offered.length !== 1 || offered[0]!.name !== name) return;
  throw new StartupError(
    `${name} is the last version that is offered: without it nothing is scored, and no process is ready. Add another ` +
      'one before, or go on with --yes; "riskgraph model add BUNDLE" offers it again.',
  );
}

/**
 * Stores a version that only the models directory has. Its history can then be explained also after it has left the
 * directory.
 * @throws StartupError when there is no such version
 */
async function ensureStored(administration: ModelAdministration, name: string): Promise<ListedVersion> {
  const found = (await administration.versions()).find((version) => version.name === name);
  if (!found)
    throw new StartupError(
      `There is no risk model ${oneLine(name)}: name one as "riskgraph model list" does, as in heart-disease@1.0.0.`,
    );
  const { directory } = found;
  if (found.stored || !directory) return found;
  const files = await readBundle(directory);
  await (await loadBundleFiles(basename(directory), files)).close();
  await administration.recorded(name, (store) => store.add(found.id, found.version, files));
  return found;
}

async function sayDefault(administration: ModelAdministration, id: string): Promise<void> {
  const version = (await administration.versions()).find((known) => known.id === id && known.isDefault);
  printLine(version ? `The default version of ${id} is ${version.version}` : `No version of ${id} is offered now`);
}

async function list(): Promise<void> {
  const table = new Table({
    head: ['version', 'state', 'from', 'added', 'bundle'],
    style: { head: [], border: [], compact: true },
  });
  await withModelAdministration(commandConfig(), async ({ versions }) => {
    for (const version of await versions())
      table.push([
        version.name,
        version.retiredAt ? `retired ${day(version.retiredAt)}` : version.isDefault ? 'default' : 'offered',
        [version.directory && 'directory', version.stored && 'added'].filter(Boolean).join(', '),
        version.addedAt ? day(version.addedAt) : '',
        version.fault ?? version.hash.slice(0, 12),
      ]);
  });
  process.stdout.write(`${table.toString()}\n`);
}

const day = (time: Date): string => time.toISOString().slice(0, 16);
