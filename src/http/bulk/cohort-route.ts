import type { FastifyReply, FastifyRequest } from 'fastify';
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import type { CohortLimits } from '../../config/config.js';
import type { App } from '../../app.js';
import { BadUserInputError, ServiceUnavailableError, UnauthenticatedError } from '../../errors.js';
import { parseInput } from '../../input.js';
import { authorizeCohort, type SubmittedCohort } from '../../jobs/cohort-submission.js';
import { createSpool } from '../../storage/spool.js';
import type { ErrorFormatter } from '../error-format.js';
import { holdCredential } from '../socket-credential.js';
import { requireViewer } from './bulk-answers.js';
import type { BulkPlaces } from './bulk-places.js';
import { receiveCohort } from './cohort-body.js';

const wholeNumber = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a whole number')
  .transform(Number);
const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

const querySchema = z.strictObject({
  modelId: z.string('is missing: name a risk model'),
  modelVersion: z.string().optional(),
  priority: wholeNumber.optional(),
  explain: flag.optional(),
  clearEmpty: flag.optional(),
});

/** The media type of an answer that tells of the progress, line by line. */
const progressType = 'application/x-ndjson';

interface CohortRouteDependencies {
  readonly app: Pick<App, 'submitCohort' | 'identity'>;
  readonly places: BulkPlaces;
  readonly limits: CohortLimits;
  readonly formatError: ErrorFormatter;
}

/**
 * `POST /cohorts`: stores the patients of a cohort, and submits one job for all of them.
 *
 * 1. Refuse a caller who may not send cohorts. Such a caller takes no place, and no byte of the body is stored.
 * 2. Take a place, and receive the body into a spool (cohort-body.ts).
 * 3. Check and store it (cohort-submission.ts). The end of the connection, of the time or of the credential ends the
 *    work.
 * 4. Answer with the id of the job. A client that accepts NDJSON gets a line for each group of patients before that,
 *    so that no proxy takes the connection for idle.
 */
export function createCohortRoute({ app, places, limits, formatError }: CohortRouteDependencies) {
  async function receiveAndSubmit(
    request: FastifyRequest,
    signal: AbortSignal,
    progress: (stored: number) => void,
  ): Promise<SubmittedCohort> {
    const options = { ...parseInput(querySchema, request.query), idempotencyKey: idempotencyKeyOf(request) };
    const spool = await createSpool();
    try {
      const content = await receiveCohort(request, spool, limits.megabytes * 1024 * 1024);
      return await app.submitCohort(request.caller!.viewer, options, content, { signal, progress });
    } finally {
      await spool.close();
    }
  }

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const viewer = requireViewer(request);
    authorizeCohort(viewer);
    const leave = places.take(viewer);
    const { signal, end, stop } = workTime(reply, limits.seconds);
    const credential = holdCredential(app, request.caller!, {
      isOpen: () => !reply.raw.destroyed,
      end: (reason) =>
        stop(
          new UnauthenticatedError(
            `The work has ended: ${reason}. Patients that were stored stay, and there is no job: send the cohort again.`,
          ),
        ),
    });
    // A client that is gone makes no error: the work ends by its signal.
    const lines = new PassThrough().on('error', () => undefined);
    let begun: () => void = () => undefined;
    const checked = new Promise<void>((resolve) => (begun = resolve));
    const work = receiveAndSubmit(request, signal, (stored) => {
      begun();
      lines.write(`${JSON.stringify({ stored })}\n`);
    }).finally(() => {
      end();
      credential.release();
      leave();
    });
    if (!(request.headers.accept ?? '').includes(progressType)) {
      lines.resume();
      return reply.status(202).send(answerOf(await work));
    }
    await Promise.race([checked, work]);
    work.then(
      (submitted) => lines.end(`${JSON.stringify(answerOf(submitted))}\n`),
      (error: unknown) => lines.end(`${JSON.stringify({ errors: [formatError(error)] })}\n`),
    );
    return reply.status(202).type(progressType).send(lines);
  };
}

const answerOf = ({ job, created, updated, unchanged }: SubmittedCohort) => ({
  jobId: job._id.toHexString(),
  patients: job.total,
  created,
  updated,
  unchanged,
});

/** Header of the IETF draft: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || typeof key === 'string') return key;
  throw new BadUserInputError([{ path: 'idempotency-key', message: 'is there twice: send one' }]);
}

/** The time of one cohort. It ends with the connection too. */
function workTime(
  reply: FastifyReply,
  seconds: number,
): { readonly signal: AbortSignal; stop(reason: Error): void; end(): void } {
  const controller = new AbortController();
  const stop = (reason: Error): void => controller.abort(reason);
  const stopLater = (message: string) => (): void => stop(new ServiceUnavailableError(message));
  const timer = setTimeout(
    stopLater(
      `The cohort took longer than ${seconds} s, which is the limit. Patients that were stored stay, and there is no ` +
        'job: send the cohort again, or in several parts.',
    ),
    seconds * 1_000,
  );
  reply.raw.once('close', stopLater('The client has closed the connection before the answer.'));
  return { signal: controller.signal, stop, end: () => clearTimeout(timer) };
}
