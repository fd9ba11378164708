import { ConnectionError, type ResponseError } from '../../../src/client/errors.js';
import { RefusedError } from '../../session/refused-error.js';
import type { Session } from '../../session/session.js';
import type { RiskBand } from '../../generated/graphql.js';

/** One line of `GET /jobs/ID/predictions.ndjson`, see docs/api.md. */
export interface ResultLine {
  /** Number of the patient in the batch, from 1. */
  readonly row: number;
  readonly patientId: string;
  readonly mrn?: string;
  readonly prediction?: {
    readonly id: string;
    readonly createdAt: string;
    readonly value: number;
    readonly unit: string;
    readonly probability: number | null;
    readonly classes?: Readonly<Record<string, number>>;
    readonly rawOutput: number;
    readonly riskBand: RiskBand;
    readonly inputs: Readonly<Record<string, number | null>>;
    readonly explanation: {
      readonly baseValue: number;
      readonly outputValue: number;
      readonly contributions: Readonly<Record<string, number>>;
    } | null;
  };
  readonly failure?: { readonly code: string; readonly message: string };
}

interface ResultsRequest {
  readonly session: Pick<Session, 'token'>;
  readonly jobId: string;
  readonly withMrn?: boolean;
  readonly signal: AbortSignal;
  /** @defaultValue that of the page */
  readonly origin?: string;
}

/** Attempts in a row that bring nothing, and the time between them. */
const attempts = 5;
const repeatAfterMs = 1_000;

/**
 * Reads all results of a batch, as lines without their ends, in groups as they arrive. After a break it goes on behind
 * the last line, so that none is missing and none comes twice.
 * @throws RefusedError with the API's own words; ConnectionError when nothing answers
 */
export async function* readResultLines(request: ResultsRequest): AsyncGenerator<readonly string[]> {
  let after = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const lines of linesOf(await open(request, after))) {
        yield lines;
        after = (JSON.parse(lines.at(-1)!) as ResultLine).row;
        attempt = 1;
      }
      return;
    } catch (error) {
      if (request.signal.aborted || error instanceof RefusedError || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * repeatAfterMs));
    }
  }
}

async function open(
  { session, jobId, withMrn, signal, origin = '' }: ResultsRequest,
  after: number,
): Promise<Response> {
  const query = new URLSearchParams({ ...(after > 0 && { after: String(after) }), ...(withMrn && { mrn: 'true' }) });
  const ask = (token: string | undefined): Promise<Response> =>
    fetch(`${origin}/jobs/${encodeURIComponent(jobId)}/predictions.ndjson?${query}`, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    }).catch((cause: unknown) => {
      throw new ConnectionError('RiskGraph does not answer: check the network.', undefined, { cause });
    });
  const token = await session.token();
  let response = await ask(token);
  if (response.status === 401) response = await ask(await session.token(token));
  if (response.ok) return response;
  const { errors } = (await response.json().catch(() => ({}))) as { readonly errors?: ResponseError[] };
  if (errors) throw new RefusedError(errors);
  throw new ConnectionError(`RiskGraph answers ${response.status}.`);
}

/**
 * Cuts an answer into lines.
 * @throws ConnectionError behind the last whole line when the next one was broken off
 */
async function* linesOf(response: Response): AsyncGenerator<readonly string[]> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      if (rest) throw new ConnectionError('The results broke off.');
      return;
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop()!;
    if (lines.length > 0) yield lines;
  }
}
