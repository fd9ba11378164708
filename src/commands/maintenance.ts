import { Command } from 'commander';
import { createModels } from '../../models/index.js';
import type { Config } from '../config/config.js';
import { commandConfig, wholeNumber } from './environment.js';
import { openLocalConnection } from './local-access.js';
import { modelsSection } from './maintenance/models-section.js';
import { sectionText } from './maintenance/section.js';
import { serviceSection } from './maintenance/service-section.js';
import { softwareSection } from './maintenance/software-section.js';
import { storageSection } from './maintenance/storage-section.js';
import { workSection } from './maintenance/work-section.js';
import { withRedis } from './with-redis.js';

interface ReportOptions {
  readonly days: number;
  readonly metricsUrl: readonly string[];
  readonly outdated?: boolean;
  readonly json?: boolean;
}

/** `riskgraph maintenance`: what an operator looks at every week and every month. */
export function maintenanceCommand(): Command {
  const report = new Command('report')
    .description('print sizes, growth, failures, slow operations, changes of predictions, and versions; it only reads')
    .option('--days <number>', 'length of the period: 7 for the week, 30 for the month', wholeNumber(1, 366), 7)
    .option(
      '--metrics-url <url>',
      'the metrics of a process, e.g. http://10.0.0.5:9464/metrics; several times for several processes',
      (url: string, given: readonly string[]) => [...given, url],
      [],
    )
    .option('--outdated', 'ask the package registry for newer versions of the packages')
    .option('--json', 'print JSON')
    .action(async (options: ReportOptions) => {
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      const { connection: database, close } = await openLocalConnection(config);
      try {
        const models = createModels(database);
        const { days } = options;
        const sections = [
          await storageSection(database, days),
          await workSection(models, days),
          await modelsSection(models, days),
          await serviceSection(options.metricsUrl),
          await softwareSection({
            database,
            redisVersion: await redisVersion(config),
            askRegistry: options.outdated === true,
          }),
        ];
        process.stdout.write(
          options.json ? `${JSON.stringify(sections, undefined, 2)}\n` : `${sections.map(sectionText).join('\n\n')}\n`,
        );
      } finally {
        await close();
      }
    });
  return new Command('maintenance').description('the work of every week and month').addCommand(report);
}

async function redisVersion(config: Config): Promise<string | undefined> {
  // A Redis that is away has a row of its own in the report.
  const facts = await withRedis(config, (redis) => redis.info('server')).catch(() => undefined);
  return /^redis_version:(.*?)\r?$/m.exec(facts ?? '')?.[1];
}
