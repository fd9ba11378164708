import { contributionChanges, differenceTable, renderDifference } from '../../../src/risk/plots/difference.js';
import { useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { Figure } from '../../components/figure.js';
import { useSpace } from '../../components/use-space.js';
import { PatientPageResultDetailsDocument } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { differenceOf, type NamedAnswer } from './figures.js';
import type { Model } from './values.js';

/** What changed between two stored results: the difference of each contribution, and the values behind it. */
export function Comparison({ model, from, to }: { readonly model: Model; readonly from: string; readonly to: string }) {
  const texts = useTexts().patient;
  const formats = useFormats();
  const earlier = useQuery(PatientPageResultDetailsDocument, { id: from });
  const later = useQuery(PatientPageResultDetailsDocument, { id: to });
  if (from === to) return <p class="quiet">{texts.changeSame}</p>;
  const error = earlier.error ?? later.error;
  if (error) return <ErrorBox error={error} />;
  const [before, after] = [earlier.data?.prediction, later.data?.prediction];
  if (!before || !after) return null;
  const named = {
    before: { ...before, name: formats.dateTime(before.createdAt) },
    after: { ...after, name: formats.dateTime(after.createdAt) },
  };
  return <Difference model={after.model ?? model} {...named} />;
}

/** Draws the difference of two answers, or says why there is none. */
export function Difference(props: {
  readonly model: Model;
  readonly before: NamedAnswer;
  readonly after: NamedAnswer;
}) {
  const texts = useTexts();
  const formats = useFormats();
  const difference = differenceOf(props.model, props, useSpace(props.model), texts, formats);
  if (!difference) return <p class="note">{texts.patient.unlike}</p>;
  if (contributionChanges(difference).every(({ change }) => change === 0))
    return <p class="quiet">{texts.patient.changeNone}</p>;
  return (
    <Figure
      fileName="difference-of-scores"
      draw={(options) => renderDifference(difference, options)}
      table={(options) => differenceTable(difference, options)}
    />
  );
}
