import type { NumberType } from '../onnx/number-types.js';
import type { Cell, ColumnProfile } from './column-profile.js';

/** A feature of manifest.json as an author writes it. */
export interface DraftFeature {
  readonly code: string;
  readonly label: string;
  readonly unit: string;
  readonly unitLabel: string;
  readonly kind: 'CONTINUOUS' | 'COUNT' | 'BINARY' | 'CATEGORICAL';
  readonly range?: { readonly min: number; readonly max: number };
  readonly codes?: readonly { readonly value: number | string; readonly label: string }[];
  readonly missing:
    | { readonly policy: 'REQUIRED' }
    | { readonly policy: 'IMPUTE'; readonly value: number | string; readonly meaning: string }
    | { readonly policy: 'NATIVE'; readonly meaning: string };
}

/** The facts about one feature that its manifest is drafted from. */
interface FeatureFacts {
  readonly code: string;
  readonly label: string;
  readonly type: NumberType;
  /** True when the trees compare the feature with category codes. */
  readonly categories: boolean;
  /** The categories that the operators before the trees know. */
  readonly known?: readonly (number | string)[];
  /** True when the model itself says where a missing value goes. */
  readonly native: boolean;
  /** The column of the training table. */
  readonly profile?: ColumnProfile;
  /** Values about the thresholds of the trees: they give the range when there is no table. */
  readonly probes: Float64Array;
}

/** The most different whole numbers that are taken for codes. */
const mostCodes = 10;

/** The most codes of a feature whose trees compare categories. */
const mostCategories = 1000;

/** The fewest rows per code: fewer may be a count that happens to have few values. */
const rowsPerCode = 5;

/** Drafts a feature from the training table, or from the thresholds of the trees. */
export function draftFeature(facts: FeatureFacts): DraftFeature {
  const { code, label } = facts;
  return {
    code,
    label,
    unit: '1',
    unitLabel: '',
    ...draftKind(facts),
    missing: draftMissing(facts),
  };
}

function draftKind(facts: FeatureFacts): Pick<DraftFeature, 'kind' | 'range' | 'codes'> {
  const { profile, type, probes } = facts;
  const values = codesOf(facts);
  if (values)
    return {
      kind: values.length === 2 ? 'BINARY' : 'CATEGORICAL',
      codes: values.map((value) => ({ value, label: String(value).slice(0, 120) || 'TODO' })),
    };
  const [min, max] = profile && profile.least <= profile.most ? [profile.least, profile.most] : ends(probes);
  // A range needs two ends. A column with one value gets room above it.
  const range = { min: within(type, min), max: within(type, max > min ? max : min + 1) };
  return { kind: type.whole ? 'COUNT' : 'CONTINUOUS', range };
}

/** Returns the feature's codes; undefined when it has a range. */
function codesOf({ profile, categories, known }: FeatureFacts): readonly (number | string)[] | undefined {
  const values = profile ? profile.values : known;
  if (!values || values.length < 2) return undefined;
  if (!profile || values.some((value) => typeof value === 'string')) return values;
  if (!profile.whole || values.length > mostCategories) return undefined;
  const rows = values.reduce<number>((sum, value) => sum + profile.count(value), 0);
  return categories || (values.length <= mostCodes && rows >= rowsPerCode * values.length) ? values : undefined;
}

function draftMissing(facts: FeatureFacts): DraftFeature['missing'] {
  const { profile, native, type } = facts;
  if (!profile || profile.missing === 0) return { policy: 'REQUIRED' };
  if (native) return { policy: 'NATIVE', meaning: 'TODO: write why it is missing, e.g. not measured' };
  if (codesOf(facts))
    return { policy: 'IMPUTE', value: profile.commonest ?? 0, meaning: 'TODO: the commonest value of the CSV' };
  const mean = type.whole ? Math.round(profile.mean) : profile.mean;
  return { policy: 'IMPUTE', value: mean, meaning: 'TODO: the mean of the CSV; write the value of the training' };
}

/** Returns the ends of the probe values; 0 and 1 when the trees do not look at the feature. */
function ends(probes: Float64Array): [number, number] {
  const finite = probes.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  return [finite.reduce((low, value) => Math.min(low, value)), finite.reduce((high, value) => Math.max(high, value))];
}

const within = ({ least, most }: NumberType, value: number): number => Math.min(most, Math.max(least, value));

/** Returns a value that the feature allows, for inputs that no patient gave. `share` is from 0 to 1. */
export function allowedValue({ codes, range }: DraftFeature, share: number, whole: boolean): Cell {
  if (codes) return codes[Math.min(codes.length - 1, Math.floor(share * codes.length))]!.value;
  const value = range!.min + share * (range!.max - range!.min);
  return whole ? Math.round(value) : Number(value.toPrecision(6));
}
