import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  partialDependenceTable,
  renderPartialDependence,
  type PartialDependenceInput,
} from '../../../src/risk/plots/partial-dependence.js';
import { useQuery, useRead } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { Figure } from '../../components/figure.js';
import {
  ConsoleModelCurveDocument,
  ConsoleModelInputsDocument,
  type ConsoleModelCurveQuery,
  type ConsoleModelCurveQueryVariables,
  type SimulateRiskInput,
} from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { drawnPatients, gridOf, inputsOfPatients, observedValues, simulationsPerRequest, withValue } from './curves.js';
import { labelWithUnit, type Feature, type Model } from './model.js';

/** Predictions that are read to learn which values patients have. */
const predictionsRead = 200;

interface Props {
  readonly model: Model;
  readonly feature: Feature;
}

/** Partial dependence of one feature with a line per patient. The API simulates each point; nothing is stored. */
export function PartialDependence({ model, feature }: Props): VNode {
  const { models } = useTexts();
  const { number } = useFormats();
  const filter = { modelId: model.modelId, modelVersion: model.version };
  const { data, error, isLoading, reload } = useQuery(ConsoleModelInputsDocument, { first: predictionsRead, filter });
  const patients = useMemo(() => inputsOfPatients(data?.predictions.edges.map(({ node }) => node) ?? []), [data]);
  const observed = observedValues(patients, feature);
  const grid = gridOf(feature, observed);
  const curves = useCurves(model, feature, drawnPatients(patients), grid);
  const problem = error ?? curves.error;
  if (problem) return <ErrorBox error={problem} onRetry={error && reload} />;
  if (isLoading) return <p class="quiet">{models.partialRunning}</p>;
  if (patients.length === 0) return <p>{models.partialNone}</p>;
  if (!curves.values) return <p role="status">{models.partialRunning}</p>;
  const input: PartialDependenceInput = {
    title: models.partialTitle(feature.label),
    subtitle: models.partialCount(number(curves.values.length), number(patients.length)),
    featureLabel: labelWithUnit(feature),
    valueLabel: model.quantity ? `${model.outcome} (${model.quantity.unitLabel})` : models.probability,
    isProbability: !model.quantity,
    grid,
    codes: feature.codes?.map(({ label }) => label),
    curves: curves.values,
    observed,
  };
  return (
    <Figure
      fileName={`partial-dependence-${model.modelId}-${model.version}-${feature.code}`}
      draw={(options) => renderPartialDependence(input, options)}
      table={(options) => partialDependenceTable(input, options)}
    />
  );
}

/** Asks the model for every patient at every value of the grid, some per request, one request after the other. */
function useCurves(
  model: Model,
  { code }: Feature,
  patients: ReturnType<typeof drawnPatients>,
  grid: readonly number[],
): { readonly values?: readonly (readonly number[])[]; readonly error?: Error } {
  const read = useRead();
  const [state, setState] = useState<{ values?: number[][]; error?: Error }>({});
  const key = JSON.stringify([model.id, code, patients.length, grid]);
  useEffect(() => {
    let live = true;
    const inputs = patients.flatMap((values) =>
      grid.map((value): SimulateRiskInput => ({
        modelId: model.modelId,
        modelVersion: model.version,
        features: withValue(values, code, value),
      })),
    );
    async function run(): Promise<void> {
      const answers: number[] = [];
      while (live && answers.length < inputs.length) {
        const part = inputs.slice(answers.length, answers.length + simulationsPerRequest);
        const { data, error } = await read(ConsoleModelCurveDocument, variablesOf(part));
        if (!live) return;
        if (!data) return setState({ error });
        answers.push(...part.map((_, index) => answerAt(data, index)));
      }
      if (live)
        setState({ values: patients.map((_, row) => answers.slice(row * grid.length, (row + 1) * grid.length)) });
    }
    setState({});
    if (inputs.length > 0) void run();
    return () => {
      live = false;
    };
  }, [key]);
  return state;
}

/** The variables of one request. The last input stands in the places that are left. */
function variablesOf(part: readonly SimulateRiskInput[]): ConsoleModelCurveQueryVariables {
  const names = Array.from({ length: simulationsPerRequest }, (_, index) => `i${index}`);
  return Object.fromEntries(
    names.map((name, index) => [name, part[Math.min(index, part.length - 1)]!]),
  ) as ConsoleModelCurveQueryVariables;
}

const answerAt = (data: ConsoleModelCurveQuery, index: number): number =>
  (data as unknown as Readonly<Record<string, { readonly value: number }>>)[`p${index}`]!.value;
