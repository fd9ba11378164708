import { InvalidModelError } from '../errors.js';

interface Format {
  readonly starts: readonly number[];
  readonly what: string;
  readonly remedy: string;
}

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const convert = 'convert the fitted model to ONNX first (docs/models.md shows how)';

/** The formats in which libraries save models themselves, by the first bytes of a file. */
const formats: readonly Format[] = [
  {
    starts: ascii('CBM1'),
    what: "CatBoost's own file (.cbm)",
    remedy: 'save it by `model.save_model("model.onnx", format="onnx")`',
  },
  { starts: ascii('tree\n'), what: "LightGBM's own text file", remedy: convert },
  { starts: ascii('{'), what: 'JSON, as XGBoost and CatBoost save models', remedy: convert },
  { starts: ascii('binf'), what: "XGBoost's own binary file", remedy: convert },
  { starts: [0x80, 2], what: 'a Python pickle', remedy: convert },
  { starts: [0x80, 3], what: 'a Python pickle', remedy: convert },
  { starts: [0x80, 4], what: 'a Python pickle', remedy: convert },
  { starts: [0x80, 5], what: 'a Python pickle', remedy: convert },
  { starts: ascii('PK\x03\x04'), what: 'a ZIP archive', remedy: 'unpack it and give the .onnx file' },
  { starts: [0x1f, 0x8b], what: 'a gzip archive', remedy: 'unpack it and give the .onnx file' },
  { starts: ascii('version https://git-lfs'), what: 'a Git LFS pointer', remedy: 'fetch the file by `git lfs pull`' },
];

/** @throws InvalidModelError when a file begins as the own format of a library does, which says how to get ONNX */
export function requireOnnx(name: string, bytes: Uint8Array): void {
  const format = formats.find(({ starts }) => starts.every((byte, index) => bytes[index] === byte));
  if (format) throw new InvalidModelError(name, `it is ${format.what}, not an ONNX file`, format.remedy);
}
