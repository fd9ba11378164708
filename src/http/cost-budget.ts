import { LRUCache } from 'lru-cache';

/** Part of the budget that a process takes at once, so that few operations need a round trip to Redis. */
const portionOfBudget = 1 / 100;
/** Number of callers whose portions are remembered. A forgotten rest is lost to its caller. */
const mostRemembered = 10_000;

/** A portion of a caller's budget that this process may spend. */
interface Portion {
  left: number;
  /** Time at which the window ends, milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * Spends the budgets of callers. The budget of all processes together is in Redis; each process takes a hundredth of it
 * at once, and spends that in memory.
 * @param take takes points of a caller's budget, and gives the time until the window ends in milliseconds; it throws
 *   when too few are left
 */
export function createCostBudget(
  points: number,
  take: (key: string, points: number) => Promise<number>,
): (key: string, cost: number) => Promise<void> {
  const portions = new LRUCache<string, Portion>({ max: mostRemembered });
  const taking = new Map<string, Promise<void>>();
  const portionSize = Math.max(1, Math.floor(points * portionOfBudget));

  async function takeMore(key: string, cost: number): Promise<void> {
    const taken = Math.max(cost, portionSize);
    const endsAt = Date.now() + (await take(key, taken));
    const before = portions.get(key);
    const rest = before && before.endsAt > Date.now() ? before.left : 0;
    portions.set(key, { left: rest + taken, endsAt });
  }
  function spend(key: string, cost: number): boolean {
    const portion = portions.get(key);
    if (!portion || portion.left < cost || portion.endsAt <= Date.now()) return false;
    portion.left -= cost;
    return true;
  }
  return async (key, cost) => {
    while (!spend(key, cost)) {
      const underWay = taking.get(key);
      if (underWay) {
        await underWay;
        continue;
      }
      const more = takeMore(key, cost).finally(() => taking.delete(key));
      taking.set(key, more);
      await more;
    }
  };
}
