import { Types, type PipelineStage } from 'mongoose';
import type { Models } from '../../../models/index.js';
import { stabilityIndex } from './stability-index.js';
import type { Section } from './section.js';

/** Longest time that MongoDB may take for the figures, milliseconds. */
const readMs = 120_000;

/** Predictions of one version in one period that have the same band and the same tenth of the probability. */
interface Group {
  readonly _id: {
    readonly model: string;
    readonly version: string;
    readonly present: boolean;
    readonly band: string;
    /** Tenth of the probability, 0 to 9; null for a quantity. */
    readonly tenth: number | null;
  };
  readonly predictions: number;
  readonly sum: number;
  readonly additivityError: number | null;
}

/**
 * Compares the predictions of each model version in the period with those of the period before: how many, their mean, their
 * bands, and the population stability index of their distribution. Outcomes of patients are not stored, so discrimination
 * and calibration cannot be told from the database.
 * @param days length of each of the two periods
 */
export async function modelsSection(
  { predictions, predictionBlocks }: Models,
  days: number,
  now = new Date(),
): Promise<Section> {
  const periodStart = Math.floor(now.getTime() / 1_000) - days * 86_400;
  const match: PipelineStage.Match = {
    $match: {
      _id: { $gte: Types.ObjectId.createFromTime(periodStart - days * 86_400) },
      // An erased prediction has left its number in the log, and no more.
      modelId: { $exists: true },
    },
  };
  const present = { $gte: ['$createdAt', new Date(periodStart * 1_000)] };
  const single = group('$probability', '$quantity', '$riskBand', present, '$explanation.additivityError');
  const ofBlock = group('$rows.probability', '$rows.quantity', '$rows.riskBand', present, null);
  const limit = { maxTimeMS: readMs };
  const groups = (
    await Promise.all([
      predictions.collection.aggregate<Group>([match, ...single], limit).toArray(),
      predictionBlocks.collection.aggregate<Group>([match, { $unwind: '$rows' }, ...ofBlock], limit).toArray(),
    ])
  ).flat();
  const versions = [...new Set(groups.map(({ _id }) => `${_id.model}@${_id.version}`))].sort();
  return {
    title: `Predictions of the last ${days} days, compared with the ${days} days before`,
    columns: ['model', 'predictions', 'before', 'mean', 'before', 'bands', 'stability index', 'additivity error'],
    rows: versions.map((version) => versionRow(version, groups)),
    remarks: [
      ...(versions.length === 0 ? ['There are none.'] : []),
      'The stability index (PSI) is that of tenths of the probability, or of bands for a quantity. Below 0.1 nothing changed, ' +
        'above 0.25 the patients or the data changed: look for the reason before you trust the results.',
      'Outcomes of patients are not stored: compare predictions with outcomes as training/README.md does.',
    ],
  };
}

function group(
  probability: string,
  quantity: string,
  band: string,
  present: object,
  additivityError: string | null,
): PipelineStage.Group[] {
  const tenth = { $min: [9, { $floor: { $multiply: [probability, 10] } }] };
  return [
    {
      $group: {
        _id: {
          model: '$modelId',
          version: '$modelVersion',
          present,
          band,
          tenth: { $cond: [{ $isNumber: probability }, tenth, null] },
        },
        predictions: { $sum: 1 },
        sum: { $sum: { $ifNull: [probability, quantity] } },
        additivityError: { $max: additivityError },
      },
    },
  ];
}

function versionRow(version: string, groups: readonly Group[]): (string | number)[] {
  const own = groups.filter(({ _id }) => `${_id.model}@${_id.version}` === version);
  const [present, before] = [true, false].map((wanted) => own.filter(({ _id }) => _id.present === wanted)) as [
    Group[],
    Group[],
  ];
  const errors = own.flatMap(({ additivityError }) => additivityError ?? []);
  return [
    version,
    total(present),
    total(before),
    mean(present),
    mean(before),
    bands(present),
    stabilityIndex(counts(before), counts(present))?.toFixed(3) ?? 'too few',
    errors.length === 0 ? '' : Math.max(...errors).toExponential(1),
  ];
}

const total = (groups: readonly Group[]): number => groups.reduce((sum, { predictions }) => sum + predictions, 0);

const mean = (groups: readonly Group[]): string =>
  groups.length === 0 ? '' : (groups.reduce((sum, each) => sum + each.sum, 0) / total(groups)).toFixed(3);

/** Counts predictions by their place in the distribution. */
function counts(groups: readonly Group[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { _id, predictions } of groups) {
    const place = _id.tenth === null ? _id.band : String(_id.tenth);
    found.set(place, (found.get(place) ?? 0) + predictions);
  }
  return found;
}

function bands(groups: readonly Group[]): string {
  const found = new Map<string, number>();
  for (const { _id, predictions } of groups) found.set(_id.band, (found.get(_id.band) ?? 0) + predictions);
  return [...found]
    .sort(([, a], [, b]) => b - a)
    .map(([band, count]) => `${band} ${((100 * count) / total(groups)).toFixed(0)} %`)
    .join(', ');
}
