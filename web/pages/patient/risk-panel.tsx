import type { VNode } from 'preact';
import { renderWaterfall } from '../../../src/risk/plots/waterfall.js';
import { useQuery } from '../../api/hooks.js';
import { Band } from '../../components/band.js';
import { ErrorBox } from '../../components/error-box.js';
import { Figure } from '../../components/figure.js';
import { useSpace } from '../../components/use-space.js';
import { answerText, outputText } from '../../components/value-text.js';
import { inWords, waterfallOf, waterfallTable } from '../../components/waterfall.js';
import {
  PatientPageResultDetailsDocument,
  type PatientPageResultFragment,
  type RiskBand,
} from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { ExplainedAnswer } from './figures.js';
import type { Model } from './values.js';

/** The answer, its band, and the meaning of that band for the model. */
export function Answer({
  answer,
  model,
}: {
  readonly answer: ExplainedAnswer;
  readonly model: Model | null | undefined;
}): VNode {
  const formats = useFormats();
  const meaning = model?.riskBands.find(({ band }) => band === answer.riskBand)?.meaning;
  return (
    <>
      <p class="answer">
        <strong>{answerText(answer, model, formats)}</strong> <Band band={answer.riskBand} />
      </p>
      {meaning && <p class="meaning">{meaning}</p>}
    </>
  );
}

/** The bands of a model from low to high, with the present one marked. */
function BandScale({ model, present }: { readonly model: Model; readonly present: RiskBand }): VNode {
  const texts = useTexts().patient;
  const formats = useFormats();
  return (
    <details class="band-scale">
      <summary>{texts.bandsOf}</summary>
      <ol>
        {model.riskBands.map(({ band, from, meaning }) => (
          <li key={band} aria-current={band === present ? 'true' : undefined}>
            <Band band={band} /> {texts.bandFrom(outputText(model, from, formats))}: {meaning}
          </li>
        ))}
      </ol>
    </details>
  );
}

/** The reasons of an answer as a waterfall, which ends in the calibrated probability, with the table behind it. */
export function Reasons({ model, answer }: { readonly model: Model; readonly answer: ExplainedAnswer }): VNode {
  const { patient: texts, parts } = useTexts();
  const formats = useFormats();
  const space = useSpace(model);
  const explanation = answer.explanation && inWords(model, answer.explanation, parts, formats);
  if (!explanation) return <p class="quiet">{texts.noReasons}</p>;
  return (
    <>
      <Figure
        fileName="risk-reasons"
        draw={(options) => renderWaterfall(waterfallOf(model, answer, explanation), options)}
        table={() => waterfallTable(explanation, space, texts, formats)}
      />
      <p class="quiet">
        {texts.endsIn(formats.number(explanation.outputValue, 3), space, answerText(answer, model, formats))}
      </p>
    </>
  );
}

/** The latest result of a model, with what it means, what the model is for, and what moved it. */
export function RiskPanel(props: {
  readonly model: Model;
  readonly latest: PatientPageResultFragment;
  readonly isOutdated: boolean;
}): VNode {
  const texts = useTexts().patient;
  const formats = useFormats();
  const { data, error, reload } = useQuery(PatientPageResultDetailsDocument, { id: props.latest.id });
  // The data of the earlier result stay until those of this one are there.
  const result = data?.prediction?.id === props.latest.id ? data.prediction : undefined;
  const scoredBy = result?.model;
  const name = `${scoredBy?.name ?? props.latest.modelId} ${props.latest.modelVersion}`;
  return (
    <>
      <Answer answer={props.latest} model={scoredBy ?? props.model} />
      <p class="quiet">
        <time dateTime={props.latest.createdAt}>{texts.scoredAt(formats.dateTime(props.latest.createdAt), name)}</time>.{' '}
        {texts.ofOutcome((scoredBy ?? props.model).outcome)}.
      </p>
      {props.isOutdated && <p class="note">{texts.valuesChanged}</p>}
      <p class="intended-use">
        <strong>{texts.intendedUse}:</strong> {(scoredBy ?? props.model).intendedUse}
      </p>
      {scoredBy && <BandScale model={scoredBy} present={props.latest.riskBand} />}
      {result && !scoredBy && <p class="note">{texts.modelGone}</p>}
      {error && <ErrorBox error={error} onRetry={reload} />}
      {result && scoredBy && <Reasons model={scoredBy} answer={result} />}
    </>
  );
}
