import { z } from 'zod';

/**
 * The space in which the trees of a model add up.
 * - PROBABILITY: in the probability itself (forests).
 * - LOG_ODDS: in log-odds; with several classes, in the margins before softmax (boosted trees).
 * - IDENTITY: in the quantity itself.
 * - LOG: in the natural logarithm of the quantity (Poisson, gamma and Tweedie objectives).
 */
export const outputSpaces = ['PROBABILITY', 'LOG_ODDS', 'IDENTITY', 'LOG'] as const;
export type OutputSpace = (typeof outputSpaces)[number];

/** A model's answer that is no probability, e.g. a length of stay in days. */
export const quantitySchema = z.strictObject({
  /** UCUM code, e.g. `d`, `mL/min/{1.73_m2}`, `1`. https://ucum.org */
  unit: z.string().min(1).max(40),
  /** The unit for display; empty when there is nothing to show. */
  unitLabel: z.string().max(40),
});

export const riskBands = ['LOW', 'MODERATE', 'HIGH', 'VERY_HIGH'] as const;
export type RiskBand = (typeof riskBands)[number];

/** A monotone map from the model's raw output to the probability. */
export const calibrationSchema = z.discriminatedUnion('method', [
  /** The raw output is the probability (PROBABILITY space), or its log-odds (LOG_ODDS space). */
  z.strictObject({ method: z.literal('NONE') }),
  /** Platt scaling: p = 1 / (1 + exp(-(slope * raw + intercept))), slope > 0. */
  z.strictObject({ method: z.literal('LOGISTIC'), slope: z.number().positive(), intercept: z.number() }),
  /** Linear between the points [raw, probability], constant outside; both columns never fall. */
  z.strictObject({
    method: z.literal('PIECEWISE_LINEAR'),
    points: z
      .array(z.tuple([z.number(), z.number()]))
      .min(2)
      .max(1000),
  }),
]);
export type Calibration = z.infer<typeof calibrationSchema>;

/** Names of a model's classes in the order of its outputs. */
export const classesSchema = z.array(z.string().min(1).max(120)).min(2).max(100);

/** The parts of a manifest that say what the model's answer is. */
interface OutputParts {
  readonly outputSpace: OutputSpace;
  readonly quantity?: z.infer<typeof quantitySchema> | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly riskClass?: string | undefined;
  readonly outputIndex?: number | undefined;
  readonly calibration: Calibration;
  readonly riskBands: readonly { readonly from: number }[];
  readonly training: { readonly events?: number | undefined };
  readonly golden: readonly {
    readonly probability?: number | undefined;
    readonly value?: number | undefined;
    readonly classes?: Readonly<Record<string, number>> | undefined;
  }[];
}

/** An issue with one field of a manifest. */
interface ManifestIssue {
  readonly message: string;
  readonly path: (string | number)[];
}

/** Finds where the parts of a manifest that speak of the answer contradict each other. */
export function outputIssues(manifest: OutputParts): ManifestIssue[] {
  const { quantity, outputSpace, riskBands: bands } = manifest;
  const issues: ManifestIssue[] = [];
  const refuse = (message: string, ...path: (string | number)[]): void => void issues.push({ message, path });
  if (bands.some((band, index) => index > 0 && band.from <= bands[index - 1]!.from))
    refuse('bands must ascend', 'riskBands');
  if (quantity) {
    if (outputSpace === 'PROBABILITY') refuse('a quantity adds up in IDENTITY, LOG or LOG_ODDS', 'outputSpace');
    if (manifest.calibration.method !== 'NONE')
      refuse('a quantity has no calibration: write NONE', 'calibration', 'method');
  } else {
    if (outputSpace === 'IDENTITY' || outputSpace === 'LOG')
      refuse(`${outputSpace} needs the quantity's unit and unitLabel`, 'quantity');
    if (bands[0]?.from !== 0) refuse('the first band must start at 0', 'riskBands');
    if (bands.some(({ from }) => from < 0 || from > 1)) refuse('a probability is within 0 to 1', 'riskBands');
    if (manifest.training.events === undefined) refuse('the number of events is missing', 'training', 'events');
  }
  if (manifest.classes) for (const issue of classIssues(manifest, manifest.classes)) issues.push(issue);
  else if (manifest.riskClass !== undefined) refuse('the names of all classes are missing', 'classes');
  const given = quantity ? 'value' : manifest.classes ? 'classes' : 'probability';
  manifest.golden.forEach((vector, index) => {
    if (vector[given] === undefined) refuse(`the library's ${given} is missing`, 'golden', index, given);
    for (const other of (['value', 'classes', 'probability'] as const).filter((name) => name !== given))
      if (vector[other] !== undefined) refuse(`the model gives no ${other}, but ${given}`, 'golden', index, other);
  });
  return issues;
}

function classIssues(manifest: OutputParts, classes: readonly string[]): ManifestIssue[] {
  const { riskClass, outputIndex, outputSpace, quantity, calibration, golden } = manifest;
  const issues: ManifestIssue[] = [];
  const refuse = (message: string, ...path: (string | number)[]): void => void issues.push({ message, path });
  if (new Set(classes).size < classes.length) refuse('a class appears twice', 'classes');
  if (quantity) refuse('a quantity has no classes', 'classes');
  if (outputSpace === 'IDENTITY' || outputSpace === 'LOG')
    refuse('classes add up in PROBABILITY or LOG_ODDS', 'outputSpace');
  if (calibration.method !== 'NONE') refuse('classes have no calibration: write NONE', 'calibration', 'method');
  const risk = classes.indexOf(riskClass ?? '');
  if (risk < 0) refuse('name the class that gives the risk band, one of "classes"', 'riskClass');
  else if (outputIndex !== undefined && outputIndex !== risk)
    refuse(`riskClass is class ${risk}: leave outputIndex out`, 'outputIndex');
  golden.forEach((vector, index) => {
    const wrong = Object.keys(vector.classes ?? {}).find((name) => !classes.includes(name));
    if (wrong !== undefined) refuse('it names a class that is not among "classes"', 'golden', index, 'classes');
  });
  return issues;
}
