import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readModelFile } from '../../../src/risk/bundle/bundle-files.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const directory = useTemporaryDirectory();

test.each<[string, string | Uint8Array, RegExp]>([
  [
    'model.cbm',
    'CBM1(*',
    /^model.cbm: it is CatBoost's own file .*; save it by `model.save_model\("model.onnx", format="onnx"\)`/,
  ],
  ['model.txt', 'tree\nversion=v4', /LightGBM's own text file/],
  ['model.json', '{"learner":{}}', /JSON, as XGBoost and CatBoost save models/],
  ['model.ubj', '{L\0\0\0\0', /JSON, as XGBoost and CatBoost save models/],
  ['model.pkl', Uint8Array.of(0x80, 4, 0x95), /a Python pickle/],
  ['model.zip', 'PK\x03\x04', /a ZIP archive, not an ONNX file; unpack it/],
  ['model.onnx.gz', Uint8Array.of(0x1f, 0x8b, 8), /a gzip archive/],
  ['model.onnx', 'version https://git-lfs.github.com/spec/v1', /a Git LFS pointer/],
])('%s in a format of its own is named, with the way to ONNX', async (name, content, message) => {
  const path = join(directory.path, name);
  await writeFile(path, content);
  await expect(readModelFile(path)).rejects.toThrow(message);
});
