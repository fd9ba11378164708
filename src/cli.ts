#!/usr/bin/env node
import cluster from 'node:cluster';
import { Command } from 'commander';
import { failureLine } from './commands/failure.js';
import { refuseOldNode } from './commands/node-version.js';
import { reportToParent } from './commands/server-process.js';
import { packageVersion } from './process/package-root.js';
import { escapeInvisible } from './process/visible-text.js';

// Until a command has its own handlers, a signal about the log ends no process, and starts no debugger.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);

// SIGHUP replaces the processes of a group. Until its parent or one of them has its own handler, there is none to replace.
const isGroup = process.argv.some((argument) => argument.startsWith('--processes')) && !process.stdin.isTTY;
if ((isGroup && !process.stdout.isTTY) || cluster.isWorker) process.on('SIGHUP', () => undefined);

/** The loaders of the commands. A command is loaded when it is called: `token` should not wait for the ONNX runtime. */
const commands: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./commands/up.js')).upCommand(),
  api: async () => (await import('./commands/server-commands.js')).apiCommand(),
  worker: async () => (await import('./commands/server-commands.js')).workerCommand(),
  seed: async () => (await import('./commands/seed.js')).seedCommand(),
  token: async () => (await import('./commands/token.js')).tokenCommand(),
  keys: async () => (await import('./commands/keys.js')).keysCommand(),
  search: async () => (await import('./commands/search.js')).searchCommand(),
  user: async () => (await import('./commands/user.js')).userCommand(),
  score: async () => (await import('./commands/score.js')).scoreCommand(),
  job: async () => (await import('./commands/job.js')).jobCommand(),
  model: async () => (await import('./commands/model.js')).modelCommand(),
  audit: async () => (await import('./commands/audit.js')).auditCommand(),
  config: async () => (await import('./commands/config.js')).configCommand(),
  backup: async () => (await import('./commands/backup.js')).backupCommand(),
  maintenance: async () => (await import('./commands/maintenance.js')).maintenanceCommand(),
  migrate: async () => (await import('./commands/migrate.js')).migrateCommand(),
  restored: async () => (await import('./commands/restored.js')).restoredCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
};

async function main(): Promise<void> {
  refuseOldNode(process.versions.node);
  await import('reflect-metadata');
  const program = new Command('riskgraph')
    .description('clinical risk scores with exact explanations')
    .version(packageVersion(), '-V, --version', 'print the version')
    .showHelpAfterError();
  const wanted = commands[process.argv[2] ?? ''];
  const loaded = wanted ? [await wanted()] : await Promise.all(Object.values(commands).map((load) => load()));
  loaded.forEach((command) => program.addCommand(command));
  await program.parseAsync();
}

main().catch((error: unknown) => {
  const line = failureLine(error);
  if (!reportToParent({ failed: line }))
    process.stderr.write(`error: ${line.split('\n').map(escapeInvisible).join('\n')}\n`);
  process.exitCode = 1;
  // A connection that is still being retried must not keep a failed command running.
  setTimeout(() => process.exit(1), 500).unref();
});
