import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { barsTable, renderBars } from '../../../src/risk/plots/bars.js';
import { beeswarmGeometry, beeswarmTable, meanAbsolute, renderBeeswarm } from '../../../src/risk/plots/beeswarm.js';
import { Figure } from '../../components/figure.js';
import { PointFigure } from '../../components/point-figure.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { chosen, featuresOf, sampleOf, type FigureProps } from './cohort-data.js';
import { useSpace } from '../../components/use-space.js';

/** The most patients that are drawn as points: more of them hide each other. */
const mostPoints = 5_000;

/** What moved the outputs of a cohort: a point per patient and feature, and the mean size per feature. */
export function Reasons({ model, data }: FigureProps): VNode {
  const { cohort, plots } = useTexts();
  const { number } = useFormats();
  const space = useSpace(model);
  const features = useMemo(() => featuresOf(model, data), [model, data]);
  const drawn = useMemo(() => chosen(features, sampleOf(data.values.length, mostPoints)), [features]);
  const patients = cohort.patients(number(data.values.length));
  const sampled = data.values.length > mostPoints ? ` ${cohort.sample(number(mostPoints))}` : '';
  const swarm = {
    title: cohort.reasons,
    subtitle: `${patients}. ${cohort.reasonsHelp}${sampled}`,
    space,
    features: drawn,
  };
  const bars = {
    title: cohort.importance,
    subtitle: `${patients}. ${cohort.importanceHelp}`,
    unit: plots.meanAbsolute(space),
    rows: features.map(({ label, shap }) => ({ label, value: meanAbsolute(shap) })),
  };
  return (
    <>
      <PointFigure
        fileName="reasons-of-the-cohort"
        points={drawn.length * (drawn[0]?.values.length ?? 0)}
        draw={(options) => renderBeeswarm(swarm, options)}
        geometry={(options) => {
          const { rows, layout, radius } = beeswarmGeometry(swarm, options);
          return { sets: rows, width: layout.width, height: layout.height, radius };
        }}
        table={(options) => beeswarmTable({ ...swarm, features }, options)}
      />
      <Figure
        fileName="importance-in-the-cohort"
        draw={(options) => renderBars(bars, options)}
        table={(options) => barsTable(bars, options)}
      />
    </>
  );
}
