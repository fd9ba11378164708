import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';

/*
 * ONNX Runtime sends telemetry to its vendor, and writes a log of it into the temporary folder, unless this variable is
 * set before the library loads. Import the package through this file only.
 */
// eslint-disable-next-line no-restricted-properties -- this is no setting of ours: it is always the same
process.env.ORT_DISABLE_TELEMETRY = '1';

export const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime;
