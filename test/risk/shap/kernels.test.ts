import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';

interface Build {
  generate(name: string): Promise<string>;
  kernelNames(): Promise<string[]>;
}

describe('the WebAssembly kernels', () => {
  test('equal the compiled source', async () => {
    const folder = new URL('../../../src/risk/shap/kernels/', import.meta.url);
    const { generate, kernelNames } = (await import(new URL('build.mjs', folder).href)) as Build;
    const names = await kernelNames();
    expect(names.sort()).toEqual(['interventional', 'path-dependent']);
    for (const name of names)
      expect(await readFile(new URL(`${name}.generated.ts`, folder), 'utf8')).toBe(await generate(name));
  });
});
