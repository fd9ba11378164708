import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { authorize } from '../../auth/authorize.js';
import type { Viewer } from '../../auth/viewer.js';
import type { App } from '../../app.js';
import { parseInput } from '../../input.js';
import type { BatchResult } from '../../jobs/batch-results.js';
import type { ModelFeature } from '../../risk/manifest.js';
import type { AnswerBytes } from '../answer-bytes.js';
import { callerName } from '../operations.js';
import { holdCredential } from '../socket-credential.js';
import { requireViewer } from './bulk-answers.js';
import type { BulkPlaces } from './bulk-places.js';
import { resultLines } from './results-lines.js';

/** Results per write. They take some hundred kilobytes. */
const resultsPerWrite = 100;

const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

const querySchema = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'must be the row of the last result that you have')
    .transform(Number)
    .optional(),
  mrn: flag.optional(),
});

interface ResultsRouteDependencies {
  readonly app: Pick<App, 'readBatchResults' | 'identity'>;
  /** The features of a job's model, by code. */
  readonly featuresOf: (modelId: string, modelVersion: string) => ReadonlyMap<string, ModelFeature>;
  readonly places: BulkPlaces;
  readonly bytes: AnswerBytes;
}

/**
 * `GET /jobs/:id/predictions.ndjson`: all results of a batch, one JSON object per line, in the order of its patients.
 * `after` goes on behind a row. An answer that breaks off has no last chunk, so a client notices.
 *
 * What is held: one chunk of the batch, and one write that the client has not read. The next results are read when the
 * client has taken those before. A client that takes a minute for one write is cut off, and so is one whose credential
 * ends: a reader who is slow enough could go on for hours otherwise.
 */
export function createResultsRoute({ app, featuresOf, places, bytes }: ResultsRouteDependencies) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const viewer = requireViewer(request);
    // Before the query is read: a caller who may not read learns that first.
    authorize(viewer, 'prediction:read');
    const { after, mrn } = parseInput(querySchema, request.query);
    const leave = places.take(viewer);
    const cut = (): void => void reply.raw.destroy();
    const credential = holdCredential(app, request.caller!, { isOpen: () => !reply.raw.destroyed, end: cut });
    reply.raw.once('close', () => {
      credential.release();
      leave();
    });
    const { id } = request.params as { readonly id: string };
    const results = await app.readBatchResults(viewer, id, { after, withMrn: mrn });
    const { user } = callerName(request.caller!);
    const counted = (text: string): (() => void) => bytes.wait(user, Buffer.byteLength(text), cut);
    return reply
      .type('application/x-ndjson; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(Readable.from(lines(results, viewer, featuresOf, counted)));
  };
}

async function* lines(
  results: AsyncIterable<readonly BatchResult[]>,
  viewer: Viewer,
  featuresOf: ResultsRouteDependencies['featuresOf'],
  counted: (text: string) => () => void,
): AsyncGenerator<string> {
  for await (const ofChunk of results) {
    // All results of a batch are of one model.
    const scored = ofChunk.find(({ outcome }) => 'prediction' in outcome)?.outcome;
    const features =
      scored && 'prediction' in scored
        ? featuresOf(scored.prediction.modelId, scored.prediction.modelVersion)
        : new Map<string, ModelFeature>();
    for (let start = 0; start < ofChunk.length; start += resultsPerWrite) {
      const text = resultLines(ofChunk.slice(start, start + resultsPerWrite), viewer, features);
      const read = counted(text);
      try {
        yield text;
      } finally {
        read();
      }
    }
  }
}
