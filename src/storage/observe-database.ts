import type { Connection } from 'mongoose';
import type { Metrics } from '../process/metrics.js';

/** Commands that are counted under their own name. The driver sends few others. */
const namedCommands: ReadonlySet<string> = new Set([
  'aggregate',
  'bulkWrite',
  'count',
  'createIndexes',
  'delete',
  'distinct',
  'find',
  'findAndModify',
  'getMore',
  'insert',
  'ping',
  'update',
]);

const nameOf = (command: string): string => (namedCommands.has(command) ? command : 'other');

/**
 * Measures the commands and the pool of a connection to MongoDB, by the events of its driver.
 * https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md
 */
export function observeDatabase(
  database: Connection,
  { mongoCommands, mongoPool, mongoPoolWait }: Pick<Metrics, 'mongoCommands' | 'mongoPool' | 'mongoPoolWait'>,
): void {
  const client = database.getClient();
  client.on('commandSucceeded', ({ commandName, duration }) =>
    mongoCommands.observe({ command: nameOf(commandName), outcome: 'ok' }, duration / 1_000),
  );
  client.on('commandFailed', ({ commandName, duration }) =>
    mongoCommands.observe({ command: nameOf(commandName), outcome: 'error' }, duration / 1_000),
  );
  // Connections that were made before this call show when they are used.
  const open = new Set<string>();
  let inUse = 0;
  const tell = (): void => {
    mongoPool.set({ state: 'open' }, open.size);
    mongoPool.set({ state: 'in_use' }, inUse);
  };
  interface PoolEvent {
    readonly address: string;
    readonly connectionId: number | '<monitor>';
  }
  const keyOf = ({ address, connectionId }: PoolEvent): string => `${address} ${connectionId}`;
  tell();
  client.on('connectionCreated', (event) => {
    open.add(keyOf(event));
    tell();
  });
  client.on('connectionClosed', (event) => {
    open.delete(keyOf(event));
    tell();
  });
  client.on('connectionCheckedOut', (event) => {
    open.add(keyOf(event));
    inUse += 1;
    mongoPoolWait.observe(event.durationMS / 1_000);
    tell();
  });
  client.on('connectionCheckedIn', () => {
    inUse -= 1;
    tell();
  });
}
