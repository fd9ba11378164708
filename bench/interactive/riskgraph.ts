import type { Load } from '../door/processes.js';
import { startBuild, type Build } from './build.js';
import { followAll, followEach, score } from './jobs.js';
import { listBodies, patientQuery, predictionQuery, queryBodies } from './reads.js';
import { idle, tenPerSecond, workNames, type Side } from './side.js';

/** A build of RiskGraph as a side. Everything is on as in production. */
export function riskGraphSide(
  build: Build,
  {
    environment,
    token,
    patientIds,
    predictionIds,
    load,
  }: {
    readonly environment: Record<string, string>;
    readonly token: string;
    readonly patientIds: readonly string[];
    readonly predictionIds: readonly string[];
    readonly load: Load;
  },
): Side {
  return {
    name: build.name,
    async start() {
      const { client, url, stop } = await startBuild(build, environment, token);
      const lists = await listBodies(client, Number(process.env.PAGES ?? 1));
      const read = (bodies: readonly string[], connections: number) => (seconds: number) =>
        load({ url, token, bodies, connections, seconds });
      return {
        score: () => score(client, patientIds[0]!),
        works: [
          { name: workNames.idle, run: idle },
          {
            name: workNames.jobs,
            way: 'a subscription each',
            run: (seconds) => followEach(client, patientIds, seconds),
          },
          {
            name: workNames.jobs,
            way: 'one predictionCreated',
            run: (seconds) => followAll(client, patientIds, seconds),
          },
          {
            name: workNames.latency,
            way: 'a subscription each',
            run: (seconds) =>
              tenPerSecond(async (index) => {
                await score(client, patientIds[index % patientIds.length]!);
              }, seconds),
          },
          { name: workNames.list, run: read(lists, 20) },
          { name: workNames.patient, run: read(queryBodies(patientQuery, patientIds), 32) },
          { name: workNames.prediction, run: read(queryBodies(predictionQuery, predictionIds), 32) },
        ],
        stop,
      };
    },
  };
}
