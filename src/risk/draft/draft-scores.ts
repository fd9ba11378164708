import { InvalidModelError } from '../errors.js';
import { manifestSchema, type RiskModelManifest } from '../manifest.js';
import { numberOf } from '../manifest-texts.js';
import type { OnnxSession } from '../onnx-session.js';
import type { ParsedModel } from '../parse-model.js';
import type { Score } from '../risk-model.js';
import { createServedModel } from '../served-model.js';
import type { Cell } from './column-profile.js';
import type { DraftFeature } from './draft-features.js';

/** @throws InvalidModelError naming the first field that the schema refuses */
export function parseDraft(draft: object): RiskModelManifest {
  const result = manifestSchema.safeParse(draft);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InvalidModelError(
    'the draft of manifest.json',
    `${issue?.path.join('.') || 'manifest'}: ${issue?.message ?? 'it is faulty'}`,
    'correct the data, or write the manifest as docs/models.md says',
  );
}

/** Returns the function that scores rows as the server does: by ONNX Runtime, checked against the trees. */
export function draftScorer(
  draft: object,
  parsed: ParsedModel,
  session: OnnxSession,
): (rows: readonly (readonly Cell[])[]) => Promise<Score[]> {
  const manifest = parseDraft(draft);
  const model = createServedModel({
    manifest,
    sha256: manifest.model.sha256,
    card: '',
    parsed,
    session,
    explainers: new Map(),
  });
  return (rows) => model.score(rows.map((row) => model.encode(featuresOf(manifest.features, row))));
}

/** Returns a row as callers give it: a text is the number of its code. */
function featuresOf(features: RiskModelManifest['features'], row: readonly Cell[]): Record<string, number | null> {
  return Object.fromEntries(
    features.map(({ code, codes }, index) => {
      const value = row[index]!;
      return [code, value === null ? null : (numberOf(codes, value) ?? null)];
    }),
  );
}

/** Returns the number that the bands are on. */
export const answerOf = ({ probability, quantity }: Score): number => probability ?? quantity!;

/** Writes a golden vector with ONNX Runtime's outputs, which the library's own are to replace. */
export function goldenVector(
  { features, classes }: { features: readonly DraftFeature[]; classes?: readonly string[] },
  row: readonly Cell[],
  score: Score,
): object {
  const probabilities = score.classes?.probabilities;
  const answer = classes
    ? { classes: Object.fromEntries(classes.map((name, index) => [name, probabilities![index]!])) }
    : score.quantity === undefined
      ? { probability: score.probability }
      : { value: score.quantity };
  return {
    source: 'ONNX_RUNTIME',
    features: Object.fromEntries(features.map(({ code }, index) => [code, row[index]!])),
    rawOutput: score.rawOutput,
    ...answer,
  };
}
