import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createGroupCommit } from '../../src/storage/group-commit.js';

/** A group commit that notes its groups. It gathers items until the test lets it continue. */
function gathering() {
  const groups: string[][] = [];
  let goOn = (): void => undefined;
  let waits = 0;
  const commit = createGroupCommit<string, string>(
    async (items) => {
      groups.push(items);
      return items.map((item) => ({ value: item }));
    },
    {
      gather: () => {
        waits += 1;
        return new Promise<void>((resolve) => (goOn = resolve));
      },
    },
  );
  return { groups, commit, goOn: () => goOn(), waits: () => waits };
}

test('after a group of several, more is gathered before the next', async () => {
  const { groups, commit, goOn } = gathering();
  await Promise.all([commit('a'), commit('b')]);
  const third = commit('c');
  await nextTurn();
  const fourth = commit('d');
  goOn();
  expect(await Promise.all([third, fourth])).toEqual(['c', 'd']);
  expect(groups).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('a lone call does not wait, and neither does the call after it', async () => {
  const { groups, commit, waits } = gathering();
  await commit('a');
  await commit('b');
  expect(groups).toEqual([['a'], ['b']]);
  expect(waits()).toBe(0);
});

test('a group has at most the maximum number of items, and the rest follows', async () => {
  const groups: string[][] = [];
  const commit = createGroupCommit<string, string>(
    async (items) => {
      groups.push(items);
      return items.map((item) => ({ value: item }));
    },
    { largest: 2 },
  );
  expect(await Promise.all(['a', 'b', 'c'].map(commit))).toEqual(['a', 'b', 'c']);
  expect(groups).toEqual([['a', 'b'], ['c']]);
});

test('behind work that stands still an item waits no longer than the limit, and is never worked on', async () => {
  const groups: string[][] = [];
  let answer = (): void => undefined;
  const commit = createGroupCommit<string, string>(
    async (items) => {
      groups.push(items);
      await new Promise<void>((resolve) => (answer = resolve));
      return items.map((item) => ({ value: item }));
    },
    { longestWaitMs: 5 },
  );
  const first = commit('a');
  await nextTurn();
  await expect(Promise.all([commit('b'), commit('c')])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await expect(commit('d')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  answer();
  expect(await first).toBe('a');
  const next = commit('e');
  await nextTurn();
  await nextTurn();
  answer();
  expect(await next).toBe('e');
  expect(groups).toEqual([['a'], ['e']]);
});
