import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Types } from 'mongoose';
import { beforeAll, expect, test } from 'vitest';
import { PredictionsDocument, SimulateRiskDocument } from '../../src/client/generated/graphql.js';
import { exportedFacts, featuresOf, grades, writeClassBundle } from '../risk/support/exported-bundle.js';
import { heartDisease } from '../support/heart-disease.js';
import { runCommand } from '../support/run-command.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { codesOf, settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const models = { forest: 'rf-classes', boosting: 'xgb-classes' } as const;

async function writeBundles(): Promise<string> {
  const folder = await temporaryDirectory();
  await writeClassBundle(join(folder, 'forest'), models.forest, 'PROBABILITY');
  await writeClassBundle(join(folder, 'boosting'), models.boosting, 'LOG_ODDS');
  return folder;
}

const system = await startSystem({ environment: { RISK_MODELS_DIRECTORY: await writeBundles() } });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const facts = await exportedFacts(models.boosting);
const given = (row: number): { code: string; value: number }[] =>
  Object.entries(featuresOf(facts.rows[row]!)).map(([code, value]) => ({ code, value }));

const patientIds: string[] = [];
beforeAll(async () => {
  for (let row = 0; row < 3; row += 1) patientIds.push((await patient(client, { features: given(row) })).id);
});

interface Shown {
  readonly class: string | null;
  readonly method: string;
  readonly baseValue: number;
  readonly outputValue: number;
  readonly contributions: readonly { readonly value: number }[];
  readonly waterfall: string;
}

const shown = '{ class method baseValue outputValue contributions { value } waterfall }';

/** Asks for the explanation of every class, and for the stored one. */
async function explanations(id: string): Promise<Record<string, Shown>> {
  const ofClasses = grades.map((grade) => `${grade}: explanation(class: "${grade}") ${shown}`).join(' ');
  const { data, errors } = await system.post<{ prediction: Record<string, Shown> }>(
    `{ prediction(id: "${id}") { stored: explanation ${shown} ${ofClasses} } }`,
    undefined,
    token,
  );
  expect(errors).toBeUndefined();
  return data!.prediction;
}

const sumOf = ({ baseValue, contributions }: Shown): number =>
  contributions.reduce((sum, { value }) => sum + value, baseValue);

/** Checks that the explanation of each class adds up to its raw output, and the raw outputs to the probabilities. */
async function expectExplained(id: string, model: keyof typeof models, row: number): Promise<void> {
  const output = (await exportedFacts(models[model])).output[row]!;
  const { stored, ...ofClasses } = await explanations(id);
  const sums = grades.map((grade) => sumOf(ofClasses[grade]!));
  grades.forEach((grade, place) => {
    expect(ofClasses[grade]!.class).toBe(grade);
    expect(sums[place]).toBeCloseTo(ofClasses[grade]!.outputValue, 9);
    expect(ofClasses[grade]!.waterfall).toContain(`of class ${grade}, a fracture of this grade`);
  });
  const total = sums.reduce((sum, value) => sum + Math.exp(value), 0);
  const probabilities = model === 'forest' ? sums : sums.map((value) => Math.exp(value) / total);
  output.forEach((expected, place) => expect(probabilities[place]).toBeCloseTo(expected, 6));
  expect(stored).toEqual(ofClasses.severe);
  // Only the risk class has a band.
  expect(stored!.waterfall).toMatch(/(low|high) risk/);
  expect(ofClasses.mild!.waterfall).not.toMatch(/(low|high) risk/);
}

async function verify(id: string): Promise<unknown> {
  const { data } = await system.post(`{ verifyPrediction(id: "${id}") { agrees differences } }`, undefined, token);
  return data!.verifyPrediction;
}

test.each(['forest', 'boosting'] as const)('a single job of a %s gives and explains every class', async (model) => {
  const { output } = await exportedFacts(models[model]);
  const { id } = await submit(client, { patientId: patientIds[0]!, modelId: models[model] });
  const prediction = (await ended(client, id)).prediction!;
  expect(prediction.classes.map(({ name }) => name)).toEqual(grades);
  prediction.classes.forEach(({ probability }, place) => expect(probability).toBeCloseTo(output[0]![place]!, 6));
  expect(prediction.probability).toBe(prediction.classes[2]!.probability);
  expect(prediction.riskBand).toBe(prediction.probability! < 0.5 ? 'LOW' : 'HIGH');
  await expectExplained(prediction.id, model, 0);
  expect(await verify(prediction.id)).toEqual({ agrees: true, differences: [] });
});

test.each([true, false])('a batch gives and explains every class (explain: %s)', async (explain) => {
  const { id } = await submit(client, { patientIds, modelId: models.boosting, explain });
  await ended(client, id);
  const { predictions } = await client.request(PredictionsDocument, { filter: { jobId: id } });
  expect(predictions.totalCount).toBe(3);
  for (const { node } of predictions.edges) {
    const row = patientIds.indexOf(node.patient!.id);
    node.classes.forEach(({ probability }, place) => expect(probability).toBeCloseTo(facts.output[row]![place]!, 6));
    await expectExplained(node.id, 'boosting', row);
    expect(await verify(node.id)).toEqual({ agrees: true, differences: [] });
  }
});

test('a changed probability or raw output of a class is named, and its explanation is not shown', async () => {
  const { id } = await submit(client, { patientId: patientIds[1]!, modelId: models.forest });
  const prediction = (await ended(client, id)).prediction!;
  await system.app.models.predictions.collection.updateOne(
    { _id: new Types.ObjectId(prediction.id) },
    { $set: { 'classes.0.probability': 0.9, 'classes.1.rawOutput': 0.9 } },
  );
  expect(await verify(prediction.id)).toEqual({
    agrees: false,
    differences: ['classes[0].probability', 'classes[1].rawOutput'],
  });
  const ask = (grade: string) =>
    system.post(
      `{ prediction(id: "${prediction.id}") { explanation(class: "${grade}") { class } } }`,
      undefined,
      token,
    );
  expect(codesOf(await ask('moderate'))).toEqual(['INTERNAL']);
  expect(codesOf(await ask('severe'))).toEqual([]);
});

test('a class that the model does not have is refused with the classes that it has', async () => {
  const { id } = await submit(client, { patientId: patientIds[0]!, modelId: models.forest });
  const prediction = (await ended(client, id)).prediction!;
  const { errors } = await system.post(
    `{ prediction(id: "${prediction.id}") { explanation(class: "worst") { class } } }`,
    undefined,
    token,
  );
  expect(errors![0]!.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'class', message: 'must be one of mild, moderate, severe' }],
  });
});

test('simulateRisk gives every class', async () => {
  const { data } = await system.post<{ simulateRisk: { classes: { name: string; probability: number }[] } }>(
    `query ($input: SimulateRiskInput!) { simulateRisk(input: $input) { classes { name probability } } }`,
    { input: { modelId: models.boosting, features: given(2) } },
    token,
  );
  expect(data!.simulateRisk.classes.map(({ name }) => name)).toEqual(grades);
  data!.simulateRisk.classes.forEach(({ probability }, place) =>
    expect(probability).toBeCloseTo(facts.output[2]![place]!, 6),
  );
  const { simulateRisk } = await client.request(SimulateRiskDocument, {
    input: { modelId: models.boosting, features: given(2) },
  });
  expect(simulateRisk.probability).toBeCloseTo(facts.output[2]![2]!, 6);
});

test('simulateRisk explains each class, by each method', async () => {
  const ask = async (request: string) =>
    system.post<{ simulateRisk: { classes: { probability: number }[]; rawOutput: number; explanation: Shown } }>(
      `query ($input: SimulateRiskInput!) { simulateRisk(input: $input) {
        classes { probability } rawOutput explanation${request} ${shown} } }`,
      { input: { modelId: models.boosting, features: given(2) } },
      token,
    );
  const [usual, mild, interventional] = (
    await Promise.all(['', '(class: "mild")', '(class: "mild", method: INTERVENTIONAL)'].map(ask))
  ).map(({ data }) => data!.simulateRisk);
  expect(usual!.explanation).toMatchObject({ method: 'PATH_DEPENDENT', class: 'severe' });
  expect(sumOf(usual!.explanation)).toBeCloseTo(usual!.rawOutput, 9);
  expect(mild!.explanation).toMatchObject({ method: 'PATH_DEPENDENT', class: 'mild' });
  expect(sumOf(mild!.explanation) - sumOf(usual!.explanation)).toBeCloseTo(
    Math.log(facts.output[2]![0]! / facts.output[2]![2]!),
    4,
  );
  expect(interventional!.explanation).toMatchObject({ method: 'INTERVENTIONAL', class: 'mild' });
  expect(sumOf(interventional!.explanation)).toBeCloseTo(sumOf(mild!.explanation), 9);
  expect(interventional!.explanation.contributions).not.toEqual(mild!.explanation.contributions);
  const refused = await ask('(class: "worst")');
  expect(refused.errors![0]!.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'class', message: 'must be one of mild, moderate, severe' }],
  });
});

test('score writes a column for each class', async () => {
  const folder = await temporaryDirectory();
  const [file, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  await writeFile(file, `mrn,f0,f1,f2,f3\nGRADE-1,${facts.rows[0]!.join()}\n`);
  const { code } = await runCommand(
    ['score', file, '--model', models.boosting, '--out', out, '--url', system.url, '--token', '-'],
    settingsFor(system.app.config),
    token,
  );
  expect(code).toBe(0);
  const [header, line] = (await readFile(out, 'utf8')).trim().split('\n');
  expect(header).toMatch(
    /^mrn,probability,probability_mild,probability_moderate,probability_severe,risk_band,raw_output/,
  );
  const [, probability, ...rest] = line!.split(',').map(Number);
  expect(rest.slice(0, 3).every((value, place) => Math.abs(value - facts.output[0]![place]!) < 1e-6)).toBe(true);
  expect(probability).toBe(rest[2]);
});

test('another method is computed on request, for every class', async () => {
  const { id } = await submit(client, { patientId: patientIds[0]!, modelId: models.boosting });
  const prediction = (await ended(client, id)).prediction!;
  const ask = async (request: string): Promise<Shown> => {
    const query = `{ prediction(id: "${prediction.id}") { explanation(${request}) ${shown} } }`;
    return (await system.post<{ prediction: { explanation: Shown } }>(query, undefined, token)).data!.prediction
      .explanation;
  };
  expect(prediction.explanation!.method).toBe('PATH_DEPENDENT');
  const interventional = await ask('method: INTERVENTIONAL');
  expect(interventional).toMatchObject({ method: 'INTERVENTIONAL', class: 'severe' });
  expect(sumOf(interventional)).toBeCloseTo(prediction.rawOutput, 9);
  const byPaths = await ask('method: PATH_DEPENDENT');
  expect(byPaths.baseValue).toBe(prediction.explanation!.baseValue);
  expect(interventional.contributions).not.toEqual(byPaths.contributions);
  const [mild, mildByPaths] = [await ask('method: INTERVENTIONAL, class: "mild"'), await ask('class: "mild"')];
  expect([mild.method, mildByPaths.method]).toEqual(['INTERVENTIONAL', 'PATH_DEPENDENT']);
  expect(sumOf(mild)).toBeCloseTo(sumOf(mildByPaths), 9);
});

test('a method or class that cannot be had is refused in one line', async () => {
  const shipped = await startSystem();
  const clinician = await shipped.client('CLINICIAN');
  const { predictionId } = await scored(clinician);
  const refusal = async (request: string): Promise<unknown> => {
    const query = `{ prediction(id: "${predictionId}") { explanation(${request}) { class } } }`;
    return (await shipped.post(query, undefined, await shipped.token('CLINICIAN'))).errors![0]!.extensions;
  };
  const { version } = heartDisease;
  expect(await refusal('method: INTERVENTIONAL')).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'method', message: `heart-disease@${version} has no background set: ask for PATH_DEPENDENT` }],
  });
  expect(await refusal('class: "mild"')).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'class', message: `heart-disease@${version} has no classes: leave the argument out` }],
  });
});
