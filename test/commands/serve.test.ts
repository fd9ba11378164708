import { expect, test } from 'vitest';
import { exitOf } from '../../src/embedded/child-exit.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { namespace } from '../support/namespace.js';
import { settingsFor } from '../support/system.js';

test.each(['api', 'worker'])('the %s ends when its parent is gone before it has started', async (command) => {
  const child = spawnEntry(new URL('../../src/cli.js', import.meta.url), {
    args: [command],
    environment: settingsFor(namespace()),
  });
  const exited = exitOf(child);
  child.disconnect();
  expect(await exited).toEqual({ code: 0, signal: null });
});
