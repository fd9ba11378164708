import { ConnectionError, GraphqlRequestError } from '../client/errors.js';
import { RiskGraphError, StartupError } from '../errors.js';
import { isDatabaseOutage, isDiskFull, isDriverError } from '../storage/database.js';
import { InvalidModelError } from '../risk/errors.js';

/**
 * Describes an error in one line for the operator. Only errors that were written for a person show their full text. No
 * line shows the class of an error.
 */
export function failureLine(error: unknown): string {
  if (
    error instanceof StartupError ||
    error instanceof RiskGraphError ||
    error instanceof InvalidModelError ||
    error instanceof ConnectionError
  )
    return error.message;
  if (error instanceof GraphqlRequestError) return error.errors.map(({ message }) => message).join('; ');
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(failureLine))].join('; ');
  if (!(error instanceof Error)) return 'unknown failure';
  const { code, path } = error as NodeJS.ErrnoException;
  if (path === undefined && isDiskFull(error))
    return "MongoDB's disk is full, or has less than the 500 MB that MongoDB asks for: make room on it.";
  if (isDriverError(error) && isDatabaseOutage(error))
    return 'MongoDB broke off the connection, or is away: check that it runs and that MONGO_URI names it.';
  if (path !== undefined && code !== undefined) return fileFailure(path, code);
  const [message] = error.message.split('\n');
  return message ? `unexpected failure: ${message}` : 'unknown failure';
}

const fileFailures: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist: check the name',
  ENOTDIR: 'does not exist, because a part of its path is a file: check the name',
  EISDIR: 'is a directory: name a file',
  EACCES: 'cannot be opened: you do not have the right to it',
  EPERM: 'cannot be opened: you do not have the right to it',
  EROFS: 'cannot be written: its disk is read-only',
  ENOSPC: 'cannot be written: the disk is full',
  EFBIG: 'cannot be written: it would be larger than this process may write',
  EMFILE: 'cannot be opened: too many files are open',
};

const fileFailure = (path: string, code: string): string =>
  `${path} ${fileFailures[code] ?? `cannot be used (${code})`}`;
