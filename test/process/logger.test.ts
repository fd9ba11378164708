import { ReplyError } from 'ioredis';
import { describe, expect, vi, test } from 'vitest';
import { describeError, logError } from '../../src/process/logger.js';

const spies = () => {
  const log = vi.fn<(fields: object, message: string) => void>();
  return { error: log, warn: vi.fn<typeof log>(), info: vi.fn<typeof log>(), debug: vi.fn<typeof log>() };
};

describe('an error is logged', () => {
  test('at level error, under `err`, with the given fields', () => {
    const logger = spies();
    const error = new Error('it broke');
    logError(logger as never, error, 'not written', { chunk: 3 });
    expect(logger.error).toHaveBeenCalledExactlyOnceWith({ chunk: 3, err: error }, 'not written');
  });

  test('at another level if one is given', () => {
    const logger = spies();
    logError(logger as never, 'thrown text', 'not written', { level: 'debug' });
    expect(logger.debug).toHaveBeenCalledExactlyOnceWith({ err: 'thrown text' }, 'not written');
    expect(logger.error).not.toHaveBeenCalled();
  });

  test('without its message, but with its type, code and stack', () => {
    const described = describeError(Object.assign(new RangeError('Canary'), { code: 'E1' }));
    expect(described).toMatchObject({ type: 'RangeError', code: 'E1' });
    expect(JSON.stringify(described)).toContain('logger.test');
    expect(JSON.stringify(described)).not.toContain('Canary');
  });

  test('with the code that Redis puts before the message', () => {
    const refused = new ReplyError('WRONGPASS invalid username-password pair or user is disabled.');
    expect(describeError(refused)).toMatchObject({ type: 'ReplyError', code: 'WRONGPASS' });
    expect(describeError(new Error('WRONGPASS of another kind'))).toMatchObject({ code: undefined });
  });
});
