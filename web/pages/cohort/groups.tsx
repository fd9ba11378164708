import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { comparisonTable, renderComparison } from '../../../src/risk/plots/comparison.js';
import { spreadOf } from '../../../src/risk/plots/distribution.js';
import { mean } from '../../../src/risk/plots/scale.js';
import { Figure } from '../../components/figure.js';
import { usePlace } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { featuresOf, type FigureProps } from './cohort-data.js';
import { groupsOf, isBand, splitOf, type Split } from './group-choice.js';
import { GroupPicker } from './group-picker.js';
import { useSpace } from '../../components/use-space.js';

/** Compares two groups of a cohort: their answers, and their mean contributions. */
export function Groups({ model, data }: FigureProps): VNode {
  const { cohort } = useTexts();
  const formats = useFormats();
  const space = useSpace(model);
  const { query } = usePlace();
  const text = query.toString();
  const split = useMemo(() => splitOf(query, model, data), [text, model, data]);
  const groups = useMemo(() => groupsOf(split, data), [split, data]);
  const features = useMemo(() => featuresOf(model, data), [model, data]);
  const names = useNames(split, model);
  const sized = names.map((name, index) => cohort.size(name, formats.number(groups[index]!.length))) as [
    string,
    string,
  ];
  const input = {
    title: cohort.comparison,
    subtitle: cohort.comparisonHelp,
    space,
    groups: sized,
    features: features.map(({ label, shap }) => ({
      label,
      means: groups.map((members) => mean(members.map((index) => shap[index]!))) as [number, number],
    })),
  };
  const isEmpty = groups.some(({ length }) => length === 0);
  const answer = (value: number): string => (model.quantity ? formats.number(value) : formats.percent(value));
  return (
    <>
      <GroupPicker model={model} split={split} />
      {isEmpty && <p class="note">{cohort.emptyGroup}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={cohort.risks}>
        <table>
          <caption>{model.outcome}</caption>
          <thead>
            <tr>
              {[cohort.group, cohort.mean, cohort.lower, cohort.median, cohort.upper].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((members, index) => {
              const spread = spreadOf(members.map((member) => data.values[member]!));
              return (
                <tr key={index}>
                  <th scope="row">{sized[index]}</th>
                  {(['mean', 'lower', 'median', 'upper'] as const).map((name) => (
                    <td key={name}>{spread ? answer(spread[name]) : '–'}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {!isEmpty && (
        <Figure
          fileName="two-groups"
          draw={(options) => renderComparison(input, options)}
          table={(options) => comparisonTable(input, options)}
        />
      )}
    </>
  );
}

function useNames(split: Split, model: FigureProps['model']): [string, string] {
  const { cohort } = useTexts();
  const { number } = useFormats();
  if (split.by === 'band')
    return split.bands.map((band) => (isBand(band, model) ? cohort.bands[band] : cohort.others)) as [string, string];
  const feature = model.features.find(({ code }) => code === split.code)!;
  if (split.by === 'codes')
    return split.values.map((value) =>
      cohort.is(feature.label, feature.codes?.find((code) => code.value === value)?.label ?? String(value)),
    ) as [string, string];
  const at = `${number(split.at)}${feature.unitLabel && ` ${feature.unitLabel}`}`;
  return [cohort.atMost(feature.label, at), cohort.above(feature.label, at)];
}
