import { z } from 'zod';
import { codesSchema, numberOf } from './manifest-texts.js';
import {
  calibrationSchema,
  classesSchema,
  outputIssues,
  outputSpaces,
  quantitySchema,
  riskBands,
} from './output-schema.js';

/** The meaning of a feature's numbers. CONTINUOUS and COUNT have a range; BINARY and CATEGORICAL have codes. */
const featureKinds = ['CONTINUOUS', 'COUNT', 'BINARY', 'CATEGORICAL'] as const;

/**
 * The meaning of a missing value to the model.
 * - REQUIRED: there is no score without the feature.
 * - IMPUTE: `value` replaces it, exactly as in training.
 * - NATIVE: the model gets NaN; its trees define the path of a missing value.
 */
const missingPolicySchema = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('REQUIRED') }),
  z.strictObject({ policy: z.literal('IMPUTE'), value: z.union([z.number(), z.string()]), meaning: z.string().min(1) }),
  z.strictObject({ policy: z.literal('NATIVE'), meaning: z.string().min(1) }),
]);

const modelFeatureSchema = z
  .strictObject({
    code: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be snake_case, at most 64 characters'),
    label: z.string().min(1).max(120),
    description: z.string().max(2000).optional(),
    /** UCUM code, e.g. `mm[Hg]`, `mg/dL`, `a` (years), `/min`, `1` (dimensionless). https://ucum.org */
    unit: z.string().min(1).max(40),
    /** The unit for display, e.g. `mm Hg`. Empty when there is nothing to show (codes, dimensionless). */
    unitLabel: z.string().max(40),
    kind: z.enum(featureKinds),
    /** Inclusive, in `unit`. For CONTINUOUS and COUNT. */
    range: z.strictObject({ min: z.number(), max: z.number() }).optional(),
    /** Every allowed value. For BINARY and CATEGORICAL. */
    codes: codesSchema.optional(),
    missing: missingPolicySchema,
    /** The patient's field that gives the value when the caller did not give it as a feature. */
    source: z.enum(['PATIENT_AGE', 'PATIENT_SEX']).optional(),
  })
  .superRefine((feature, context) => {
    const coded = feature.kind === 'BINARY' || feature.kind === 'CATEGORICAL';
    if (coded && !feature.codes)
      context.addIssue({ code: 'custom', message: `${feature.kind} needs codes`, path: ['codes'] });
    if (!coded && !feature.range)
      context.addIssue({ code: 'custom', message: `${feature.kind} needs a range`, path: ['range'] });
    if (feature.range && feature.range.min >= feature.range.max)
      context.addIssue({ code: 'custom', message: 'min must be below max', path: ['range'] });
    if (feature.missing.policy === 'IMPUTE' && numberOf(feature.codes, feature.missing.value) === undefined)
      context.addIssue({ code: 'custom', message: 'its text must be the value of a code', path: ['missing', 'value'] });
  })
  .transform(({ missing, ...feature }) => ({
    ...feature,
    missing:
      missing.policy === 'IMPUTE'
        ? { ...missing, value: numberOf(feature.codes, missing.value) ?? Number.NaN }
        : missing,
  }));
export type ModelFeature = z.infer<typeof modelFeatureSchema>;

const metricSchema = z.strictObject({
  name: z.string().min(1),
  /** The method of the estimate, e.g. `10 x repeated 5-fold stratified cross-validation`. */
  method: z.string().min(1),
  value: z.number(),
  confidenceInterval: z.tuple([z.number(), z.number()]).optional(),
});

/** Predicted probabilities beside what happened, in groups of patients of similar probability, lowest first. */
const reliabilitySchema = z.strictObject({
  /** The method of the estimate, as of a metric. */
  method: z.string().min(1),
  groups: z
    .array(
      z.strictObject({
        patients: z.number().int().positive(),
        /** Mean predicted probability. */
        predicted: z.number().min(0).max(1),
        /** Share of patients with the event. */
        observed: z.number().min(0).max(1),
        /** 95 % interval of `observed`. */
        interval: z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]),
      }),
    )
    .min(1)
    .max(100),
});

const goldenVectorSchema = z.strictObject({
  /**
   * The program that gave the outputs; left out: the library that trained the model. Those of ONNX Runtime stand in until
   * the library's replace them: they cannot show that the exporter wrote another model.
   */
  source: z.enum(['LIBRARY', 'ONNX_RUNTIME']).optional(),
  /** By feature code. A text is the value of a code. */
  features: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  /** The sum of the trees, e.g. the margin; left out where the library does not give it. */
  rawOutput: z.number().optional(),
  /** For a model that gives a probability. */
  probability: z.number().optional(),
  /** For a model that gives a quantity, in its unit. */
  value: z.number().optional(),
  /** For a model with classes: the probability of each, by its name. */
  classes: z.record(z.string(), z.number()).optional(),
  /** Path-dependent SHAP values by feature code, when the bundle can give them. */
  contributions: z.record(z.string(), z.number()).optional(),
});

/** manifest.json of a risk model bundle: everything that RiskGraph needs besides the trees of a model. */
export const manifestSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    id: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be kebab-case, at most 64 characters'),
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be MAJOR.MINOR.PATCH'),
    name: z.string().min(1).max(200),
    description: z.string().min(1).max(4000),
    intendedUse: z.string().min(1).max(4000),
    /** The event or the quantity, e.g. `at least one coronary artery narrowed by 50 % or more`, `length of stay`. */
    outcome: z.string().min(1).max(400),
    model: z.strictObject({ file: z.literal('model.onnx'), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    /** The space in which the trees add up: forests PROBABILITY, boosted trees LOG_ODDS, quantities IDENTITY or LOG. */
    outputSpace: z.enum(outputSpaces),
    /** The unit of the answer when it is no probability. */
    quantity: quantitySchema.optional(),
    /** Names of the classes, in the order of the model's outputs, when each of them is to have its probability. */
    classes: classesSchema.optional(),
    /** The class whose probability gives the risk band. */
    riskClass: z.string().optional(),
    /** Index of the SHAP output that is the risk: that of `riskClass`, else 0 when it is left out. */
    outputIndex: z.number().int().min(0).optional(),
    calibration: calibrationSchema,
    /**
     * Ascending in the probability, whose first band starts at 0, or in the quantity. The answer belongs to the last
     * band whose `from` is not above it. A quantity below the first `from` belongs to the first band.
     */
    riskBands: z
      .array(z.strictObject({ band: z.enum(riskBands), from: z.number(), meaning: z.string().min(1) }))
      .min(1),
    features: z.array(modelFeatureSchema).min(1).max(10_000),
    /** Background rows for interventional SHAP: encoded model inputs, in the order of `features`, null = NaN. */
    background: z
      .strictObject({
        file: z.literal('background.json'),
        rows: z.number().int().positive(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      })
      .optional(),
    training: z.strictObject({
      data: z.string().min(1),
      patients: z.number().int().positive(),
      /** Patients with the event. A quantity has none. */
      events: z.number().int().nonnegative().optional(),
      sites: z
        .array(z.strictObject({ name: z.string(), patients: z.number().int(), events: z.number().int().optional() }))
        .optional(),
      algorithm: z.string().min(1),
    }),
    metrics: z.array(metricSchema),
    /** For a model that gives a probability. */
    reliability: reliabilitySchema.optional(),
    /** mean |SHAP value| over the training rows, by feature code. */
    globalImportance: z.record(z.string(), z.number().nonnegative()).optional(),
    /** Inputs with the library's own output; at least three for a bundle to serve. */
    golden: z.array(goldenVectorSchema).max(100),
  })
  .superRefine((manifest, context) => {
    const codes = manifest.features.map((feature) => feature.code);
    const repeated = codes.find((code, index) => codes.indexOf(code) !== index);
    if (repeated)
      context.addIssue({ code: 'custom', message: `feature code "${repeated}" appears twice`, path: ['features'] });
    for (const issue of outputIssues(manifest)) context.addIssue({ code: 'custom', ...issue });
  })
  .transform((manifest, context) => ({
    ...manifest,
    outputIndex: manifest.outputIndex ?? Math.max(0, manifest.classes?.indexOf(manifest.riskClass ?? '') ?? 0),
    golden: manifest.golden.map((vector, index) => ({
      ...vector,
      features: Object.fromEntries(
        Object.entries(vector.features).map(([code, value]): [string, number | null] => {
          const codes = manifest.features.find((feature) => feature.code === code)?.codes;
          const number = value === null ? null : numberOf(codes, value);
          if (number === undefined)
            context.addIssue({
              code: 'custom',
              message: 'its text must be the value of a code',
              path: ['golden', index, 'features', code],
            });
          return [code, number ?? null];
        }),
      ),
    })),
  }));
export type RiskModelManifest = z.infer<typeof manifestSchema>;
