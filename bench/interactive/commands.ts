import type { Connection } from 'mongoose';

/** How many commands of each name MongoDB has got since its start. */
export type CommandCounts = ReadonlyMap<string, number>;

/** Reads the counts from `serverStatus`. */
export async function commandCounts(database: Connection): Promise<CommandCounts> {
  const status = await database.db!.admin().command({ serverStatus: 1 });
  const { commands } = (status as { metrics: { commands: Record<string, { total?: unknown }> } }).metrics;
  return new Map(Object.entries(commands).map(([name, { total }]) => [name, Number(total ?? 0)]));
}

/** Describes the commands between two counts, per piece of work. Commands of a server's own life are left out. */
export function commandsSince(before: CommandCounts, after: CommandCounts, pieces: number): string {
  return [...after]
    .map(([name, count]) => [name, (count - (before.get(name) ?? 0)) / pieces] as const)
    .filter(([name, each]) => each >= 0.005 && !['serverStatus', 'hello', 'ping'].includes(name))
    .sort(([, a], [, b]) => b - a)
    .map(([name, each]) => `${name} ${each.toFixed(2)}`)
    .join(', ');
}
