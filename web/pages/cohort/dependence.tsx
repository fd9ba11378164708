import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { meanAbsolute } from '../../../src/risk/plots/beeswarm.js';
import {
  dependenceGeometry,
  dependenceTable,
  renderDependence,
  strongestInteraction,
} from '../../../src/risk/plots/dependence.js';
import { PointFigure } from '../../components/point-figure.js';
import { useQueryValue } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { chosen, featuresOf, sampleOf, type FigureProps } from './cohort-data.js';
import { useSpace } from '../../components/use-space.js';

/** The most patients that are drawn as points. */
const mostPoints = 20_000;

/** The contributions of one feature by its values, coloured by the feature that goes along most with their spread. */
export function Dependence({ model, data }: FigureProps): VNode {
  const { cohort } = useTexts();
  const { number } = useFormats();
  const space = useSpace(model);
  const [code, setCode] = useQueryValue('feature');
  const [colour, setColour] = useQueryValue('colour');
  const features = useMemo(() => {
    const all = featuresOf(model, data).sort((left, right) => meanAbsolute(right.shap) - meanAbsolute(left.shap));
    return chosen(all, sampleOf(data.values.length, mostPoints));
  }, [model, data]);
  const feature = features.find((one) => one.code === code) ?? features[0]!;
  const others = useMemo(() => features.filter((one) => one !== feature), [features, feature]);
  const strongest = useMemo(() => others[strongestInteraction(feature, others)] ?? feature, [feature, others]);
  const colouredBy = features.find((one) => one.code === colour) ?? strongest;
  const sampled = data.values.length > mostPoints ? ` ${cohort.sample(number(mostPoints))}` : '';
  const input = {
    title: cohort.dependence(feature.label),
    subtitle: `${cohort.dependenceHelp}${sampled}`,
    space,
    feature,
    colouredBy,
  };
  return (
    <>
      <div class="filters">
        <label>
          {cohort.feature}
          <select value={feature.code} onChange={({ currentTarget }) => setCode(currentTarget.value)}>
            {features.map(({ code: name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          {cohort.colour}
          <select value={colour} onChange={({ currentTarget }) => setColour(currentTarget.value)}>
            <option value="">{cohort.strongest(strongest.label)}</option>
            {features.map(({ code: name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <PointFigure
        fileName={`contributions-by-${feature.code.replaceAll('_', '-')}`}
        points={feature.values.length}
        draw={(options) => renderDependence(input, options)}
        geometry={(options) => {
          const { frame, points, radius } = dependenceGeometry(input, options);
          return { sets: [points], width: frame.width, height: frame.height, radius };
        }}
        table={(options) => dependenceTable(input, options)}
      />
    </>
  );
}
