import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A model with reference outputs and SHAP values; its shape is described in fixtures/README.md. */
interface Fixture {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly path: string;
  readonly rows: Float64Array;
  readonly rowCount: number;
  readonly raw: number[][];
  readonly output: number[][];
  readonly background: Float64Array;
  readonly backgroundRows: number;
  readonly pathDependent: ShapReference;
  readonly interventional: ShapReference;
}

interface ShapReference {
  readonly expected_value: number[];
  readonly shap_values: number[][][];
}

interface FixtureFile {
  X: (number | null)[][];
  raw: number[][];
  output: number[][];
  path_dependent: ShapReference;
  interventional: ShapReference & { background: (number | null)[][] };
}

export const fixtureNames = [
  'a1-rf-binary-two-ids',
  'a2-rf-binary-one-id-zipmap',
  'b1-xgb-binary',
  'b2-xgb-binary-no-base',
  'c1-rf-3class',
  'c2-xgb-3class',
  'd1-rf-regressor-average',
  'd2-rf-regressor-sum',
  'd3-rf-regressor-double',
  'e1-edge-leq-nan',
  'e2-edge-modes',
] as const;

export const fixtureDirectory = fileURLToPath(new URL('./fixtures/', import.meta.url));

export function loadFixture(name: string): Fixture {
  const path = `${fixtureDirectory}${name}.onnx`;
  const file = JSON.parse(readFileSync(`${fixtureDirectory}${name}.json`, 'utf8')) as FixtureFile;
  return {
    name,
    path,
    bytes: readFileSync(path),
    rows: flatten(file.X),
    rowCount: file.X.length,
    raw: file.raw,
    output: file.output,
    background: flatten(file.interventional.background),
    backgroundRows: file.interventional.background.length,
    pathDependent: file.path_dependent,
    interventional: file.interventional,
  };
}

/** Row-major, null = NaN. */
function flatten(rows: readonly (readonly (number | null)[])[]): Float64Array {
  return Float64Array.from(rows.flat(), (value) => value ?? Number.NaN);
}

/** Largest absolute difference, divided by max(1, |reference|). */
export function largestDifference(actual: ArrayLike<number>, reference: readonly number[]): number {
  if (actual.length !== reference.length) return Infinity;
  return reference.reduce((most, value, index) => {
    const difference = Math.abs(actual[index]! - value) / Math.max(1, Math.abs(value));
    return Number.isNaN(difference) ? Infinity : Math.max(most, difference);
  }, 0);
}
