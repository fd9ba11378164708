import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { createSpool, type Spool } from '../../src/storage/spool.js';

async function read(spool: Spool): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of spool.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The bytes of open files without a name in the folder for temporary files. Linux only. */
const namelessFiles = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(`${tmpdir()}/riskgraph-`) && target.endsWith('(deleted)')
        ? [readFileSync(`/proc/self/fd/${descriptor}`, 'latin1')]
        : [];
    } catch {
      return [];
    }
  });

test('a spool gives its bytes back, as often as they are read', async () => {
  const spool = await createSpool();
  const parts = Array.from({ length: 300 }, (_unused, index) => `part ${index} of a cohort, äöü\n`.repeat(40));
  for (const part of parts) await spool.write(Buffer.from(part));
  expect(spool.size).toBe(Buffer.byteLength(parts.join('')));
  expect(await read(spool)).toBe(parts.join(''));
  expect(await read(spool)).toBe(parts.join(''));
  await spool.close();
});

test.runIf(process.platform === 'linux')('a spool is encrypted on disk, and its file has no name', async () => {
  const spool = await createSpool();
  await spool.write(Buffer.from('mrn\nMARKER-4711\n'.repeat(1_000)));
  const stored = namelessFiles();
  expect(stored.length).toBeGreaterThan(0);
  for (const bytes of stored) expect(bytes).not.toContain('MARKER-4711');
  await spool.close();
});
