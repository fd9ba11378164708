import { afterEach, beforeAll, expect } from 'vitest';
import { patient } from './scenario.js';
import { codesOf, startSystem, type Answer, type System } from './system.js';

/** Takes the place of a name, a record number or a birth date. No error may repeat it. */
export const canary = 'Canary-4711';
/** An id that no document has. */
export const someId = 'aaaaaaaaaaaaaaaaaaaaaaaa';

/** Operations that take one input. */
export const createOne = 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }';
export const update = 'mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { id } }';
export const submitOne = 'mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }';
export const submitBatch = `
  mutation ($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { id } }
`;
export const simulate = 'query ($input: SimulateRiskInput!) { simulateRisk(input: $input) { probability } }';

/** A system with one patient, which every test of the file must leave as it was. */
interface BadInputSystem {
  readonly system: System;
  readonly token: string;
  patientId(): string;
  /** Creates a patient that the check after the test allows. */
  addPatient(overrides: object): Promise<string>;
}

/** Starts such a system: call it at the top of a test file. */
export async function startBadInputSystem(): Promise<BadInputSystem> {
  const system = await startSystem({ worker: false });
  const client = await system.client('CLINICIAN');
  let patientId = '';
  let before: Record<string, number>;
  const addPatient = async (overrides?: object): Promise<string> => {
    const { id } = await patient(client, overrides);
    before = await system.counts();
    return id;
  };
  beforeAll(async () => {
    patientId = await addPatient();
  });
  afterEach(async () => {
    expect(await system.counts(), 'something was stored').toEqual(before);
  });
  return { system, token: await system.token('CLINICIAN'), patientId: () => patientId, addPatient };
}

/** Expects that an answer refuses one field by its path, and repeats no value. */
export function expectRefused(answer: Pick<Answer, 'text' | 'errors'>, path: string, message: RegExp): void {
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  const [error] = answer.errors!;
  const ofPath = error!.extensions!.fields!.filter((one) => one.path === path);
  const field = ofPath.find((one) => message.test(one.message)) ?? ofPath[0];
  expect(field?.message, `${path} in ${answer.text}`).toMatch(message);
  expect(error!.message).toMatch(message);
  expect(answer.text).not.toContain(canary);
}
