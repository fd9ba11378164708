import type { Link } from './output-columns.js';
import type { OutputSpace } from './output-schema.js';
import type { ParsedModel } from './parse-model.js';
import { boundsOf } from './trees/output-bounds.js';

/** Room for float32 sums of leaf weights that stand for a probability of exactly 0 or 1. */
const shareRoom = 1e-3;

/** The space in which the trees add up before a link of the file. */
export const spaceOfLink: Readonly<Partial<Record<Link, OutputSpace>>> = { EXP: 'LOG', LOGISTIC: 'LOG_ODDS' };

/** Tells whether the trees add up to a number from 0 to 1. */
export function isShare({ ensemble }: ParsedModel, output: number): boolean {
  const { low, high } = boundsOf(ensemble, output);
  return low >= -shareRoom && high <= 1 + shareRoom;
}
