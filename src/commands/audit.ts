import { Command } from 'commander';
import { auditArchiveCommand } from './audit-archive.js';
import { auditVerifyCommand } from './audit-verify.js';

/** `riskgraph audit`: the commands for an auditor. */
export const auditCommand = (): Command =>
  new Command('audit')
    .description('the audit trail')
    .addCommand(auditVerifyCommand())
    .addCommand(auditArchiveCommand());
