import { Command, InvalidArgumentError } from 'commander';
import type { ChainEnd } from '../audit/audit-chain.js';
import { auditKeys } from '../audit/audit-writer.js';
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

/** `riskgraph audit`: the commands for an auditor. */
export function auditCommand(): Command {
  const verify = new Command('verify')
    .description('check that no audit event was changed or removed; exits 1 if one was')
    .option('--org <slug>', 'one organization (default: all)')
    .option('--anchor <sequence:hash>', 'an earlier end of its chain, noted elsewhere', parseAnchor)
    .action(async ({ org, anchor }: { org?: string; anchor?: ChainEnd }) => {
      if (anchor && org === undefined)
        throw new StartupError('--anchor belongs to one organization: name it with --org.');
      const config = commandConfig();
      const database = await connectLocalDatabase(config);
      try {
        const { protectionOf } = await startProtection({
          models: database.models,
          masterKeys: await localMasterKeys(config),
        });
        for await (const { slug, events, end, failures } of verifyChains(
          database.models,
          auditKeys(protectionOf),
          org === undefined ? undefined : { slug: org, ...(anchor && { anchor }) },
        )) {
          if (failures.length > 0) process.exitCode = 1;
          printLine(
            `${failures.length === 0 ? 'ok  ' : 'FAIL'} ${slug}: ${events} events, anchor ${end.sequence}:${end.hash}`,
          );
          for (const { sequence, reason } of failures) printLine(`     event ${sequence}: ${reason}`);
        }
      } finally {
        await database.close();
      }
    });
  return new Command('audit').description('the audit trail').addCommand(verify);
}
