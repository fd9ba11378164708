import { expect, test } from 'vitest';
import { withFullDisk } from '../../src/embedded/full-disk.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('the end of an engine on a full disk says so, and that of another one does not', async () => {
  const directory = await temporaryDirectory();
  expect(await withFullDisk('was killed by SIGABRT', directory, 0)).toBe('was killed by SIGABRT');
  expect(await withFullDisk('was killed by SIGABRT', directory, Infinity)).toMatch(
    /^was killed by SIGABRT, because the disk of \/\S+ is full \(\d+ KiB left\): make room there$/,
  );
  expect(await withFullDisk('was killed by SIGABRT', `${directory}/none`, Infinity)).toBe('was killed by SIGABRT');
});
