import { beforeAll, describe, expect, test } from 'vitest';
import {
  PredictionDocument,
  PredictionsDocument,
  SimulateRiskDocument,
  UpdatePatientDocument,
  type PredictionFieldsFragment,
  type PredictionFilter,
} from '../../src/client/generated/graphql.js';
import { ageInYears } from '../../src/patients/model-inputs.js';
import { goldenFeatures, heartDisease, modelId, type GivenFeature } from '../support/heart-disease.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

async function score(patientId: string): Promise<PredictionFieldsFragment> {
  const { id } = await submit(client, { patientId });
  return (await ended(client, id)).prediction!;
}

const simulate = async (features: readonly GivenFeature[] | null, patientId?: string) =>
  (await client.request(SimulateRiskDocument, { input: { modelId, patientId, features: features && [...features] } }))
    .simulateRisk;

const withoutRecord = (features: readonly GivenFeature[]): GivenFeature[] =>
  features.filter(({ code }) => code !== 'age' && code !== 'sex');

describe('predictions', () => {
  let low: PredictionFieldsFragment;
  let high: PredictionFieldsFragment;
  let patientId: string;
  beforeAll(async () => {
    patientId = (await patient(client)).id;
    low = await score(patientId);
    high = await score((await patient(client, { features: goldenFeatures(1) })).id);
  });

  test('are listed newest first, in full, and by every filter', async () => {
    const ids = async (filter?: PredictionFilter): Promise<string[]> =>
      (await client.request(PredictionsDocument, { filter })).predictions.edges.map(({ node }) => node.id);
    expect(await ids()).toEqual([high.id, low.id]);
    expect(await ids({ patientId })).toEqual([low.id]);
    expect(await ids({ modelId, modelVersion: heartDisease.version })).toEqual([high.id, low.id]);
    expect(await ids({ modelId: 'other' })).toEqual([]);
    expect(await ids({ riskBands: [low.riskBand] })).toEqual([low.id]);
    expect(await ids({ riskBands: [] })).toEqual([]);
    expect(await ids({ minimumProbability: (low.probability! + high.probability!) / 2 })).toEqual([high.id]);
    expect(await ids({ createdAfter: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(await ids({ createdBefore: '2999-01-01T00:00:00Z', patientId })).toEqual([low.id]);
    const { predictions } = await client.request(PredictionsDocument, { first: 1 });
    expect(predictions).toMatchObject({ totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: high }] });
    expect(
      (await client.request(PredictionsDocument, { first: 1, after: predictions.pageInfo.endCursor })).predictions
        .edges[0]!.node,
    ).toMatchObject(low);
  });

  test('link to patient, job and model, and these link back', async () => {
    const { data, errors } = await system.post(
      /* GraphQL */ `
        {
          prediction(id: "${low.id}") {
            patient {
              id
              predictions(first: 1) {
                totalCount
                edges {
                  node {
                    id
                  }
                }
              }
            }
            job {
              state
              prediction {
                id
              }
              predictions {
                edges {
                  node {
                    id
                  }
                }
              }
            }
            model {
              id
              version
              sha256
            }
            modelSha256
          }
        }
      `,
      undefined,
      token,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      prediction: {
        patient: { id: patientId, predictions: { totalCount: 1, edges: [{ node: { id: low.id } }] } },
        job: { state: 'COMPLETED', prediction: { id: low.id }, predictions: { edges: [{ node: { id: low.id } }] } },
        model: {
          id: `${modelId}@${heartDisease.version}`,
          version: heartDisease.version,
          sha256: heartDisease.model.sha256,
        },
        modelSha256: heartDisease.model.sha256,
      },
    });
  });

  test.each([1, 3, 13, 500])('show their %i largest contributions when asked', async (top) => {
    const { data } = await system.post<{ prediction: { explanation: { contributions: object[] } } }>(
      /* GraphQL */ `
        {
          prediction(id: "${high.id}") {
            explanation {
              contributions(top: ${top}) {
                feature {
                  code
                  label
                  unitLabel
                }
                inputValue
                displayValue
                value
              }
            }
          }
        }
      `,
      undefined,
      token,
    );
    expect(data!.prediction.explanation.contributions).toEqual(high.explanation!.contributions.slice(0, top));
  });

  test('show each value as people write it', () => {
    const display = Object.fromEntries(
      low.explanation!.contributions.map(({ feature, displayValue }) => [feature.code, displayValue]),
    );
    expect(display).toMatchObject({
      age: '33 years',
      sex: 'female',
      chest_pain_type: 'atypical angina',
      resting_bp: '112 mm Hg',
      cholesterol: '188 mg/dL',
    });
  });

  test('show an explanation as a picture that loads nothing else', async () => {
    const { data } = await system.post<{ prediction: { explanation: { waterfall: string } } }>(
      `{ prediction(id: "${high.id}") { explanation { waterfall } } }`,
      undefined,
      token,
    );
    expect(data!.prediction.explanation.waterfall).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
  });

  // Shows: 164.312(c)(1)
  test('keep the inputs that were used when the patient changes later', async () => {
    const created = await patient(client);
    const before = await score(created.id);
    await client.request(UpdatePatientDocument, {
      input: { id: created.id, expectedVersion: 1, features: goldenFeatures(1) },
    });
    const { prediction } = await client.request(PredictionDocument, { id: before.id });
    expect(prediction).toMatchObject(before);
    const again = await score(created.id);
    expect(again.probability).toBe(high.probability);
    expect(
      (await client.request(PredictionsDocument, { filter: { patientId: created.id } })).predictions.totalCount,
    ).toBe(2);
  });
});

describe('age and sex', () => {
  test("come from the patient's record, unless they are given as features", async () => {
    const features = withoutRecord(goldenFeatures(1));
    const birthDate = '1960-06-15';
    const fromRecord = await score((await patient(client, { features, birthDate, sex: 'MALE' })).id);
    const inputs = Object.fromEntries(fromRecord.inputs.map(({ code, value }) => [code, value]));
    expect(inputs).toMatchObject({ age: ageInYears(birthDate, new Date()), sex: 1 });
    const given = await score(
      (
        await patient(client, {
          features: [...features, { code: 'age', value: 71 }, { code: 'sex', value: 0 }],
          birthDate,
          sex: 'MALE',
        })
      ).id,
    );
    expect(Object.fromEntries(given.inputs.map(({ code, value }) => [code, value]))).toMatchObject({ age: 71, sex: 0 });
  });

  test.each(['OTHER', 'UNKNOWN'])(
    'of a patient whose sex is %s count as missing when a model requires them',
    async (sex) => {
      const { id } = await patient(client, {
        features: withoutRecord(goldenFeatures(1)),
        birthDate: '1960-06-15',
        sex,
      });
      const { errors } = await system.post(
        `mutation { submitScoringJob(input: { patientId: "${id}", modelId: "${modelId}" }) { id } }`,
        undefined,
        token,
      );
      expect(errors![0]!.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ path: 'patientId', message: 'sex is required' }],
      });
    },
  );
});

describe('simulateRisk', () => {
  test('scores values without a patient like a job does, and stores nothing', async () => {
    const before = await system.counts();
    for (const [index, golden] of heartDisease.golden.entries()) {
      const simulation = await simulate(goldenFeatures(index));
      expect(simulation.rawOutput).toBeCloseTo(golden.rawOutput!, 6);
      expect(simulation.probability).toBeCloseTo(golden.probability!, 6);
      for (const { feature, value } of simulation.explanation.contributions)
        expect(Math.abs(golden.contributions![feature.code]! - value)).toBeLessThan(1e-6);
      expect(simulation.model).toEqual({
        id: `${modelId}@${heartDisease.version}`,
        version: heartDisease.version,
      });
    }
    expect(await system.counts()).toEqual(before);
  });

  test("overlays a patient's values with those given, and null takes a value away", async () => {
    const created = await patient(client, { features: goldenFeatures(0) });
    const stored = await score(created.id);
    const asStored = await simulate(null, created.id);
    expect(asStored).toMatchObject({
      probability: stored.probability,
      rawOutput: stored.rawOutput,
      inputs: stored.inputs,
    });
    const overlaid = await simulate(
      [
        { code: 'cholesterol', value: 400 },
        { code: 'resting_bp', value: null },
      ],
      created.id,
    );
    const changed = overlaid.inputs.filter(({ value }, index) => value !== stored.inputs[index]!.value);
    expect(changed).toEqual([
      { code: 'resting_bp', unit: 'mm[Hg]', value: null },
      { code: 'cholesterol', unit: 'mg/dL', value: 400 },
    ]);
    const display = overlaid.explanation.contributions.find(({ feature }) => feature.code === 'resting_bp')!;
    expect(display).toMatchObject({ inputValue: null, displayValue: expect.stringContaining('missing') });
    expect(
      (await client.request(PredictionsDocument, { filter: { patientId: created.id } })).predictions.totalCount,
    ).toBe(1);
  });
});
