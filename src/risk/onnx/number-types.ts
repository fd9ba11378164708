import { halfToNumber, numberToHalf } from './half-float.js';
import { ElementType } from './tensor-proto.js';

/** A type of number that a tensor can hold. */
export interface NumberType {
  /** Name of the type in ONNX Runtime. */
  readonly name: 'string' | 'float32' | 'float64' | 'float16' | 'bool' | `${'u' | ''}int${8 | 16 | 32 | 64}`;
  /** True for integers, truth values and texts, which are given by their index. They cannot be missing. */
  readonly whole: boolean;
  /** The smallest and the largest value. Values of 64 bits are limited to those that a double holds exactly. */
  readonly least: number;
  readonly most: number;
  /** Rounds a number to the type. It must be whole for a type of whole numbers. */
  readonly round: (value: number) => number;
}

const exact = (value: number): number => value;
const integer = (name: NumberType['name'], least: number, most: number): NumberType => ({
  name,
  whole: true,
  least,
  most,
  round: exact,
});

/** The types of numbers by `ElementType`. A text is a number here too: the index that `FeatureLimits` gives it. */
export const numberTypes: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [
    ElementType.FLOAT,
    { name: 'float32', whole: false, least: -3.4028234663852886e38, most: 3.4028234663852886e38, round: Math.fround },
  ],
  [
    ElementType.DOUBLE,
    { name: 'float64', whole: false, least: -Number.MAX_VALUE, most: Number.MAX_VALUE, round: exact },
  ],
  [
    ElementType.FLOAT16,
    {
      name: 'float16',
      whole: false,
      least: -65_504,
      most: 65_504,
      round: (value) => halfToNumber(numberToHalf(value)),
    },
  ],
  [ElementType.STRING, integer('string', 0, 2 ** 31 - 1)],
  [ElementType.BOOL, { ...integer('bool', 0, 1), round: (value) => (value === 0 ? 0 : 1) }],
  [ElementType.INT8, integer('int8', -128, 127)],
  [ElementType.UINT8, integer('uint8', 0, 255)],
  [ElementType.INT16, integer('int16', -(2 ** 15), 2 ** 15 - 1)],
  [ElementType.UINT16, integer('uint16', 0, 2 ** 16 - 1)],
  [ElementType.INT32, integer('int32', -(2 ** 31), 2 ** 31 - 1)],
  [ElementType.UINT32, integer('uint32', 0, 2 ** 32 - 1)],
  [ElementType.INT64, integer('int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)],
  [ElementType.UINT64, integer('uint64', 0, Number.MAX_SAFE_INTEGER)],
]);
