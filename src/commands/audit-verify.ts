import { Command, InvalidArgumentError } from 'commander';
import { basename } from 'node:path';
import { readArchive, type ReadArchive } from '../audit/audit-archive.js';
import type { ChainEnd, ChainFailure } from '../audit/audit-chain.js';
import { auditKeys, type AuditKeyOf } from '../audit/audit-writer.js';
import { firstGap, listArchives } from '../audit/verify-archives.js';
import { verifyChains } from '../audit/verify-chains.js';
import { StartupError } from '../errors.js';
import { startProtection } from '../protection/start-protection.js';
import { commandConfig } from './environment.js';
import { connectLocalDatabase } from './local-access.js';
import { printLine } from './print.js';
import { localMasterKeys } from './secret-key.js';

/** Parses `SEQUENCE:HASH`, as `audit verify` prints it. */
function parseAnchor(text: string): ChainEnd {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (!match)
    throw new InvalidArgumentError(
      'Give a sequence number and a hash as "riskgraph audit verify" printed them, e.g. 1204:9f3c...',
    );
  return { sequence: Number(match[1]), hash: match[2]! };
}

interface VerifyOptions {
  readonly org?: string;
  readonly anchor?: ChainEnd;
  readonly archive?: readonly string[];
}

/** `riskgraph audit verify`: examines the stored chains, and those in archives. */
export const auditVerifyCommand = (): Command =>
  new Command('verify')
    .description('check that no audit event was changed or removed; exits 1 if one was')
    .option('--org <slug>', 'one organization (default: all)')
    .option('--anchor <sequence:hash>', 'an earlier end of its chain, noted elsewhere', parseAnchor)
    .option(
      '--archive <path...>',
      'archives of earlier events, or folders of them: the chain must be whole from event 1',
    )
    .action(async ({ org, anchor, archive }: VerifyOptions) => {
      if (anchor && org === undefined)
        throw new StartupError('--anchor belongs to one organization: name it with --org.');
      const config = commandConfig();
      const database = await connectLocalDatabase(config);
      try {
        const masterKeys = await localMasterKeys(config);
        const { protectionOf } = await startProtection({ models: database.models, masterKeys });
        const keyOf = auditKeys(protectionOf);
        const archives = await verifyArchives(await listArchives(archive ?? []), keyOf, anchor);
        const only = org === undefined ? undefined : { slug: org, ...(anchor && { anchor }) };
        for await (const { slug, after, events, end, failures } of verifyChains(database.models, keyOf, only)) {
          const gap = archive && firstGap(archives, slug, after);
          const archived =
            after.sequence === 0
              ? ''
              : `, events 1 to ${after.sequence} are in archives${archive ? '' : ' (not checked)'}`;
          printOutcome(`${slug}: ${events} events, anchor ${end.sequence}:${end.hash}${archived}`, [
            ...failures,
            ...(gap ? [{ sequence: gap.sequence, reason: `no archive ends with it, ${gap.hash}` }] : []),
            ...(anchor && anchor.sequence <= after.sequence ? anchorFailures(archives, slug, anchor) : []),
          ]);
        }
      } finally {
        await database.close();
      }
    });

function printOutcome(text: string, failures: readonly ChainFailure[]): void {
  if (failures.length > 0) process.exitCode = 1;
  printLine(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${text}`);
  for (const { sequence, reason } of failures) printLine(`     event ${sequence}: ${reason}`);
}

async function verifyArchives(
  paths: readonly string[],
  keyOf: AuditKeyOf,
  anchor: ChainEnd | undefined,
): Promise<readonly ReadArchive[]> {
  const archives: ReadArchive[] = [];
  for (const path of paths) {
    const archive = await readArchive(path, keyOf, anchor?.sequence);
    const { slug, after, end, failures } = archive;
    printOutcome(
      `${basename(path)}: events ${after.sequence + 1} to ${end.sequence} of ${slug}, anchor ${end.sequence}:${end.hash}`,
      failures,
    );
    archives.push(archive);
  }
  return archives;
}

/** An anchor whose event was archived is looked for in the archives. */
function anchorFailures(archives: readonly ReadArchive[], slug: string, { sequence, hash }: ChainEnd): ChainFailure[] {
  const found = archives.find((archive) => archive.slug === slug && archive.askedHash !== undefined)?.askedHash;
  if (found === hash) return [];
  const reason =
    found === undefined ? 'is in an archive: name it with --archive' : 'is not the event that was noted here';
  return [{ sequence, reason }];
}
