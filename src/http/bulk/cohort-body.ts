import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { BadUserInputError, ServiceUnavailableError } from '../../errors.js';
import type { CohortContent } from '../../jobs/cohort-submission.js';
import type { CohortFormat } from '../../patients/cohort-inputs.js';
import type { Spool } from '../../storage/spool.js';
import { BodyTooLargeError } from './bulk-answers.js';

/** The forms of a cohort, by the media type of its body. */
export const cohortTypes: Readonly<Record<string, CohortFormat>> = {
  'text/csv': 'CSV',
  'application/x-ndjson': 'NDJSON',
  'application/jsonl': 'NDJSON',
};

/**
 * Receives the body of a cohort into a spool, so that memory holds a part of it only. The body must arrive within the
 * time that every request has (`requestTimeoutMs`): it waits for no database.
 * @throws BadUserInputError for a body that is compressed, BodyTooLargeError for one that has more bytes than the most
 */
export async function receiveCohort(request: FastifyRequest, spool: Spool, mostBytes: number): Promise<CohortContent> {
  const format = formatOf(request);
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new BadUserInputError([
      { path: 'content-encoding', message: 'is not supported: send the body without compression' },
    ]);
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge(mostBytes);
  const hash = createHash('sha256');
  for await (const chunk of partsOf(request)) {
    if (spool.size + chunk.length > mostBytes) throw tooLarge(mostBytes);
    hash.update(chunk);
    await spool.write(chunk).catch(refuseFullDisk);
  }
  return { format, digest: hash.digest('hex'), read: () => spool.read() };
}

/** The parts of a body. @throws ServiceUnavailableError when the client closes the connection before the end */
async function* partsOf({ body, raw }: FastifyRequest): AsyncGenerator<Buffer> {
  if (!(body instanceof Readable)) return;
  try {
    // Without the option, an error would destroy the connection before the answer.
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    // Else the broken connection would be taken for that of the database.
    if (!raw.destroyed) throw error;
    throw new ServiceUnavailableError('The client has closed the connection before the end of the cohort.');
  }
}

function formatOf({ headers }: FastifyRequest): CohortFormat {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const format = cohortTypes[type.trim()];
  if (parameters.some((parameter) => /^\s*charset=(?!"?(utf-8|utf8|us-ascii)"?\s*$)/.test(parameter)))
    throw new BadUserInputError([
      { path: 'content-type', message: 'names another charset than utf-8: send the cohort in UTF-8' },
    ]);
  if (format) return format;
  throw new BadUserInputError([
    { path: 'content-type', message: `is not that of a cohort: send ${Object.keys(cohortTypes).join(' or ')}` },
  ]);
}

function refuseFullDisk(error: NodeJS.ErrnoException): never {
  if (error.code !== 'ENOSPC') throw error;
  throw new ServiceUnavailableError(
    'The server has no room for this cohort now: try again in a moment, or send smaller cohorts.',
    { cause: error },
  );
}

const tooLarge = (mostBytes: number): BodyTooLargeError =>
  new BodyTooLargeError(`body: is larger than ${mostBytes} bytes: send several smaller cohorts.`);
