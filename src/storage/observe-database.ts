import type { Connection } from 'mongoose';
import type { Metrics } from '../process/metrics.js';

/** An event of the driver about one connection of the pool. */
interface PoolEvent {
  readonly address: string;
  readonly connectionId: number | '<monitor>';
}

/**
 * Measures a connection to MongoDB by the events of the driver's pool. An operation holds a connection from its command to
 * its answer. The events about commands would tell their names, but cost a tenth of each command or more.
 * https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md
 */
export function observeDatabase(
  database: Connection,
  {
    mongoOperations,
    mongoPool,
    mongoPoolWait,
    mongoPoolFailures,
  }: Pick<Metrics, 'mongoOperations' | 'mongoPool' | 'mongoPoolWait' | 'mongoPoolFailures'>,
): void {
  const client = database.getClient();
  // Connections that were made before this call show when they are used.
  const open = new Set<string>();
  const takenAt = new Map<string, number>();
  const keyOf = ({ address, connectionId }: PoolEvent): string => `${address} ${connectionId}`;
  mongoPool.set({ state: 'open' }, 0);
  mongoPool.set({ state: 'in_use' }, 0);
  const count = (): void => {
    mongoPool.set({ state: 'open' }, open.size);
    mongoPool.set({ state: 'in_use' }, takenAt.size);
  };
  client.on('connectionCreated', (event) => {
    open.add(keyOf(event));
    count();
  });
  client.on('connectionClosed', (event) => {
    open.delete(keyOf(event));
    takenAt.delete(keyOf(event));
    count();
  });
  client.on('connectionCheckedOut', (event) => {
    const key = keyOf(event);
    open.add(key);
    takenAt.set(key, performance.now());
    mongoPoolWait.observe(event.durationMS / 1_000);
    count();
  });
  client.on('connectionCheckedIn', (event) => {
    const key = keyOf(event);
    const since = takenAt.get(key);
    takenAt.delete(key);
    if (since !== undefined) mongoOperations.observe((performance.now() - since) / 1_000);
    count();
  });
  client.on('connectionCheckOutFailed', ({ reason }) => mongoPoolFailures.inc({ reason }));
}
