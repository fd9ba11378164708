import { setTimeout as delay } from 'node:timers/promises';
import { GraphqlRequestError, type ResponseError } from '../client/errors.js';
import { StartupError } from '../errors.js';

/** A patient of a cohort, as the API takes it. */
interface CohortPatient {
  readonly mrn: string;
  readonly features: readonly { readonly code: string; readonly value: number | null }[];
}

/** The options of a cohort. */
interface CohortOptions {
  readonly modelId: string;
  readonly modelVersion?: string;
}

/** A prediction in a line of results. */
export interface ResultPrediction {
  readonly value: number;
  readonly unit: string;
  readonly classes?: Readonly<Record<string, number>>;
  readonly riskBand: string;
  readonly rawOutput: number;
  readonly explanation: {
    readonly baseValue: number;
    readonly contributions: Readonly<Record<string, number>>;
  } | null;
}

/** A line of results: a prediction, or the reason why there is none. */
export interface ResultLine {
  readonly row: number;
  readonly patientId: string;
  /** Null for a patient that was deleted meanwhile. */
  readonly mrn: string | null;
  readonly prediction?: ResultPrediction;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** The doors of the API for many patients at once. */
export interface BulkClient {
  /**
   * Sends patients, and submits one job for all of them. They are sent while they are read.
   * @param onStored is called with the number of patients that are stored
   * @throws GraphqlRequestError, or StartupError when nothing answers
   */
  submitCohort(
    patients: AsyncIterable<CohortPatient>,
    options: CohortOptions,
    onStored: (stored: number) => void,
  ): Promise<{ readonly jobId: string }>;
  /**
   * Reads the results of a job, in the order of its patients. A broken connection is made again, and goes on behind the
   * last row.
   * @throws GraphqlRequestError, or StartupError when nothing answers any more
   */
  results(jobId: string): AsyncGenerator<ResultLine>;
}

/** Characters of one write. */
const writeSize = 64 * 1024;
/** Times that a broken connection is made again without another row. */
const mostRetries = 5;
const retryAfterMs = 1_000;

/** @param url of the server, e.g. `http://127.0.0.1:4000` */
export function createBulkClient(url: string, token: string): BulkClient {
  const authorization = `Bearer ${token}`;

  async function send(endpoint: URL, init: RequestInit = {}): Promise<AsyncGenerator<unknown>> {
    const response = await fetch(endpoint, {
      ...init,
      headers: { authorization, accept: 'application/x-ndjson', ...init.headers },
    });
    if (response.ok && response.body) return linesOf(response.body);
    const { errors } = ((await response.json().catch(() => undefined)) ?? {}) as { errors?: ResponseError[] };
    throw errors ? new GraphqlRequestError(errors) : notRiskGraph(endpoint, response.status);
  }

  return {
    async submitCohort(patients, { modelId, modelVersion }, onStored) {
      const endpoint = new URL('/cohorts', url);
      endpoint.searchParams.set('modelId', modelId);
      if (modelVersion !== undefined) endpoint.searchParams.set('modelVersion', modelVersion);
      let failed: unknown;
      const body = ReadableStream.from(ndjson(patients, (error) => (failed = error)));
      const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body, duplex: 'half' };
      try {
        for await (const line of await send(endpoint, init as RequestInit)) {
          const { stored, jobId, errors } = line as { stored?: number; jobId?: string; errors?: ResponseError[] };
          if (errors) throw new GraphqlRequestError(errors);
          if (jobId !== undefined) return { jobId };
          if (stored !== undefined) onStored(stored);
        }
      } catch (error) {
        throw failed ?? (isConnectionError(error) ? noAnswer(endpoint, error) : error);
      }
      throw noAnswer(endpoint);
    },

    async *results(jobId) {
      const endpoint = new URL(`/jobs/${jobId}/predictions.ndjson`, url);
      endpoint.searchParams.set('mrn', 'true');
      let after = 0;
      for (let retries = 0; ; retries += 1) {
        endpoint.searchParams.set('after', String(after));
        try {
          for await (const line of await send(endpoint)) {
            const result = line as ResultLine;
            yield result;
            after = result.row;
            retries = 0;
          }
          return;
        } catch (error) {
          if (!isConnectionError(error)) throw error;
          if (retries === mostRetries) throw noAnswer(endpoint, error);
          await delay(retryAfterMs);
        }
      }
    },
  };
}

/** Writes patients as lines of JSON, many per part. */
async function* ndjson(
  patients: AsyncIterable<CohortPatient>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  let text = '';
  try {
    for await (const patient of patients) {
      text += `${JSON.stringify(patient)}\n`;
      if (text.length < writeSize) continue;
      yield Buffer.from(text);
      text = '';
    }
  } catch (error) {
    onError(error);
    throw error;
  }
  if (text !== '') yield Buffer.from(text);
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const chunk of body) {
    const lines = (held + decoder.decode(chunk, { stream: true })).split('\n');
    held = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

/** A failure of `fetch`, or of a body that it reads. https://fetch.spec.whatwg.org/#concept-network-error */
const isConnectionError = (error: unknown): boolean => error instanceof TypeError;

const noAnswer = ({ origin }: URL, cause?: unknown): StartupError =>
  new StartupError(`${origin} has ended the connection before its answer was complete: try again.`, { cause });

/** Says that another program answers at the URL. */
const notRiskGraph = ({ origin }: URL, status: number): StartupError =>
  new StartupError(`${origin} answers with status ${status}, but not as RiskGraph does: check the URL.`);
