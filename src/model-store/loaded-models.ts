import { LRUCache } from 'lru-cache';
import type { RiskModel } from '../risk/risk-model.js';

/**
 * The models that a process has in memory. Offered models stay. Of the retired ones, the few that were used last stay,
 * and the ONNX Runtime sessions of the others are closed.
 */
interface LoadedModels {
  /**
   * Adds an offered model, which stays until `release`.
   * @returns the model as it may be given to callers: it can be used also after it was released, and is then loaded
   *   again when it has to score
   */
  keep(name: string, model: RiskModel): RiskModel;
  /** Counts a model among the retired ones from now on. */
  release(name: string): void;
  /** Returns a model, which is loaded if it is not in memory. */
  get(name: string): Promise<RiskModel>;
  close(): Promise<void>;
}

/** A model in memory, and the number of its runs that are not over. */
interface Loaded {
  readonly model: RiskModel;
  /** The model as it is given out. Only `score` needs the session, so the other parts are the model's own. */
  readonly lent: RiskModel;
  runs: number;
  dropped: boolean;
}

/**
 * @param retired most retired models in memory that are not in use
 * @param load loads a model of which only the name is known
 */
export function createLoadedModels(retired: number, load: (name: string) => Promise<RiskModel>): LoadedModels {
  const kept = new Map<string, Loaded>();
  const loading = new Map<string, Promise<Loaded>>();
  const closing = new Set<Promise<void>>();
  const recent = new LRUCache<string, Loaded>({ max: retired, dispose: (loaded) => drop(loaded) });

  /** Closes a model, or leaves that to the end of its last run. */
  function drop(loaded: Loaded): void {
    loaded.dropped = true;
    closeIfOver(loaded);
  }
  function closeIfOver({ model, runs, dropped }: Loaded): void {
    if (!dropped || runs > 0) return;
    const closed = model.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  async function find(name: string): Promise<Loaded> {
    const known = kept.get(name) ?? recent.get(name);
    if (known) return known;
    const underWay = loading.get(name);
    if (underWay) return underWay;
    // One after the other: the files of a bundle are large.
    const found = Promise.allSettled(loading.values())
      .then(() => load(name))
      .then((model) => {
        const loaded = lend(name, model);
        recent.set(name, loaded);
        return loaded;
      })
      .finally(() => loading.delete(name));
    loading.set(name, found);
    return found;
  }

  /** Scores with the model that is in memory. A model that was closed meanwhile is loaded again. */
  async function score(name: string, ...task: Parameters<RiskModel['score']>): ReturnType<RiskModel['score']> {
    let loaded = await find(name);
    // Another load may have dropped it before this run could begin.
    while (loaded.dropped) loaded = await find(name);
    loaded.runs += 1;
    try {
      return await loaded.model.score(...task);
    } finally {
      loaded.runs -= 1;
      closeIfOver(loaded);
    }
  }

  const lend = (name: string, model: RiskModel): Loaded => ({
    model,
    lent: { ...model, score: (...task) => score(name, ...task), close: async () => undefined },
    runs: 0,
    dropped: false,
  });

  return {
    keep(name, model) {
      const loaded = lend(name, model);
      recent.delete(name);
      kept.set(name, loaded);
      return loaded.lent;
    },
    release(name) {
      const loaded = kept.get(name);
      if (!loaded) return;
      kept.delete(name);
      recent.set(name, loaded);
    },
    get: async (name) => (await find(name)).lent,
    async close() {
      await Promise.allSettled(loading.values());
      kept.forEach(drop);
      kept.clear();
      recent.clear();
      await Promise.all(closing);
    },
  };
}
