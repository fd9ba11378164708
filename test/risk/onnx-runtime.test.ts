import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli } from '../support/run-command.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('ONNX Runtime keeps no log of telemetry in the temporary folder', async () => {
  const directory = await temporaryDirectory();
  const { ORT_DISABLE_TELEMETRY: _, ...environment } = process.env;
  const { status } = spawnSync(process.execPath, [cli, 'model', 'check', 'risk-models/heart-disease'], {
    env: { ...environment, TMPDIR: directory },
  });
  expect(status).toBe(0);
  expect(readdirSync(directory)).toEqual([]);
});
