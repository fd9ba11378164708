import { expect } from 'vitest';
import type { ResponseError } from '../../src/client/errors.js';
import { goldenFeatures, modelId } from './heart-disease.js';
import { startSystem } from './system.js';

export const features = goldenFeatures(0);
export const header = `mrn,${features.map(({ code }) => code).join()}`;
export const cells = features.map(({ value }) => value).join();
export const csv = (prefix: string, count: number): string =>
  [header, ...Array.from({ length: count }, (_unused, index) => `${prefix}-${index + 1},${cells}`)].join('\n');

/** The answer to a cohort that was sent. */
export interface CohortAnswer {
  readonly status: number;
  readonly jobId?: string;
  readonly patients?: number;
  readonly created?: number;
  readonly updated?: number;
  readonly unchanged?: number;
  readonly errors?: readonly ResponseError[];
}

/** One line of the results of a batch. */
export interface ResultLine {
  readonly row: number;
  readonly patientId: string;
  readonly mrn?: string | null;
  readonly prediction?: {
    id: string;
    value: number;
    inputs: Record<string, number | null>;
    explanation: object | null;
  };
  readonly failure?: { code: string; message: string };
}

/** A system that takes cohorts of 3,000 patients and 2 MiB, and the two bulk doors as a clinician uses them. */
export async function cohortDoors() {
  const system = await startSystem({ environment: { COHORT_PATIENTS: '3000', COHORT_MEGABYTES: '2' } });
  const token = await system.token('CLINICIAN');

  /** Sends a cohort. */
  async function send(
    body: NonNullable<RequestInit['body']>,
    {
      type = 'text/csv',
      query = '',
      headers = {},
      as = token,
    }: { type?: string; query?: string; headers?: Record<string, string>; as?: string } = {},
  ): Promise<CohortAnswer> {
    const response = await fetch(`${system.url}/cohorts?modelId=${modelId}${query}`, {
      method: 'POST',
      headers: { 'content-type': type, ...(as && { authorization: `Bearer ${as}` }), ...headers },
      body,
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  /** Reads the results of a job. */
  async function results(jobId: string, query = '', as = token): Promise<ResultLine[]> {
    const response = await fetch(`${system.url}/jobs/${jobId}/predictions.ndjson${query}`, {
      headers: { authorization: `Bearer ${as}` },
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return text
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ResultLine);
  }

  /** Reads results that are refused. @returns status and code */
  async function refusal(jobId: string, query = '', as = token): Promise<{ status: number; code: string | undefined }> {
    const response = await fetch(`${system.url}/jobs/${jobId}/predictions.ndjson${query}`, {
      headers: as ? { authorization: `Bearer ${as}` } : {},
    });
    const { errors } = (await response.json()) as { errors: ResponseError[] };
    return { status: response.status, code: errors[0]!.extensions?.code };
  }

  return { system, token, client: await system.client('CLINICIAN'), send, results, refusal };
}
