import { Agreement } from './agreement.js';
import { displayValue } from './display-value.js';
import { encodeFeatures, encodeRows } from './encode.js';
import { UnexplainableModelError } from './errors.js';
import type { RiskModelManifest } from './manifest.js';
import { modelValue } from './model-value.js';
import type { OnnxSession } from './onnx-session.js';
import { type ParsedModel, prepareRows } from './parse-model.js';
import type { RiskModel, RowExplanation, Score, ShapMethod, UsedRow } from './risk-model.js';
import { createScoreOfRow } from './served-output.js';
import type { TreeExplainer } from './shap/index.js';
import { SliceSizer } from './slices.js';
import { rawOutputs } from './trees/route.js';

interface ServedModelParts {
  readonly manifest: RiskModelManifest;
  readonly sha256: string;
  readonly card: string;
  readonly parsed: ParsedModel;
  readonly session: OnnxSession;
  /** Explainers by method, the default first. Each explains output `manifest.outputIndex` only. */
  readonly explainers: ReadonlyMap<ShapMethod, TreeExplainer>;
  /** Explainers of all outputs by method, for a manifest with classes. */
  readonly classExplainers?: ReadonlyMap<ShapMethod, TreeExplainer> | undefined;
}

/** Makes the risk model from its parts. It encodes, scores and explains in slices that do not block the event loop. */
export function createServedModel(parts: ServedModelParts): RiskModel {
  const { manifest, parsed, session, explainers } = parts;
  const { outputIndex, outputSpace } = manifest;
  const width = manifest.features.length;
  const round = modelValue(manifest, parsed);
  const agreement = new Agreement(parsed);
  const scoreOfRow = createScoreOfRow(manifest, parsed);
  const scoring = new SliceSizer();
  const explaining = new Map([...explainers.keys()].map((method) => [method, new SliceSizer()]));

  const rawOf = (rows: Float64Array, rowCount: number): Float64Array =>
    rawOutputs(parsed.ensemble, prepareRows(parsed, rows, rowCount), rowCount);
  const shapMethods = [...explainers.keys()];

  async function scoreSlice(rows: readonly UsedRow[]): Promise<Score[]> {
    const matrix = toMatrix(rows, width);
    const raw = rawOf(matrix, rows.length);
    const scores = await session.run(matrix, rows.length);
    const columns = scores.length / rows.length;
    return rows.map((_, row) => {
      const outputs = raw.subarray(row * parsed.ensemble.outputCount, (row + 1) * parsed.ensemble.outputCount);
      agreement.require(outputs, scores.subarray(row * columns, (row + 1) * columns));
      return scoreOfRow(outputs);
    });
  }

  /** Explains rows for each of the outputs that the explainer has. @returns [row][output] */
  function explainSlice(
    rows: readonly UsedRow[],
    method: ShapMethod,
    explainer: TreeExplainer,
    outputs: readonly number[],
  ): RowExplanation[][] {
    const matrix = toMatrix(rows, width);
    const raw = rawOf(matrix, rows.length);
    const values = explainer.explain(matrix, rows.length);
    return rows.map((_, row) =>
      outputs.map((output, place) => {
        const start = (row * outputs.length + place) * width;
        const contributions = values.slice(start, start + width);
        const baseValue = explainer.expectedValue[place]!;
        const outputValue = raw[row * parsed.ensemble.outputCount + output]!;
        const additivityError = Math.abs(contributions.reduce((sum, value) => sum + value, baseValue) - outputValue);
        return { method, outputSpace, baseValue, outputValue, contributions, additivityError };
      }),
    );
  }

  async function explainWith(
    from: ReadonlyMap<ShapMethod, TreeExplainer>,
    outputs: readonly number[],
    rows: readonly UsedRow[],
    method: ShapMethod,
    signal: AbortSignal | undefined,
  ): Promise<RowExplanation[][]> {
    const explainer = from.get(method);
    if (!explainer)
      throw new UnexplainableModelError(
        `${manifest.id}@${manifest.version}`,
        `it cannot be explained by ${method}`,
        `ask for ${shapMethods.join(' or ')}`,
      );
    const explanations: RowExplanation[][] = [];
    await explaining
      .get(method)!
      .each(
        rows.length,
        signal,
        (start, end) => void explanations.push(...explainSlice(rows.slice(start, end), method, explainer, outputs)),
      );
    return explanations;
  }

  return {
    manifest,
    sha256: parts.sha256,
    card: parts.card,
    shapMethods,
    encode: (values) => encodeFeatures(manifest, values, round),
    encodeRows: (given) => encodeRows(manifest, given, round),
    score: async (rows, signal) => {
      const scores: Score[] = [];
      await scoring.each(
        rows.length,
        signal,
        async (start, end) => void scores.push(...(await scoreSlice(rows.slice(start, end)))),
      );
      return scores;
    },
    explain: async (rows, method = shapMethods[0]!, signal) =>
      (await explainWith(explainers, [outputIndex], rows, method, signal)).map(([explanation]) => explanation!),
    explainClasses: async (rows, method = shapMethods[0]!, signal) => {
      if (!manifest.classes)
        throw new UnexplainableModelError(
          `${manifest.id}@${manifest.version}`,
          'its manifest names no classes',
          'ask for the explanation without a class',
        );
      const outputs = manifest.classes.map((_, output) => output);
      return explainWith(parts.classExplainers ?? new Map(), outputs, rows, method, signal);
    },
    displayValue,
    close: () => session.close(),
  };
}

function toMatrix(rows: readonly UsedRow[], width: number): Float64Array {
  const matrix = new Float64Array(rows.length * width);
  rows.forEach((row, index) => matrix.set(row.used, index * width));
  return matrix;
}
