import { CombinedError } from '@urql/core';
import type { VNode } from 'preact';
import { ConnectionError, GraphqlRequestError, type ResponseError } from '../../src/client/errors.js';
import { RefusedError } from '../session/refused-error.js';
import { useTexts } from '../texts/texts.js';

interface ErrorBoxProps {
  readonly error: Error;
  /** Offers another attempt. */
  readonly onRetry?: () => void;
}

/** The parts of an API's error that are shown. */
interface Shown {
  readonly message: string;
  readonly requestId?: string;
  readonly fields: readonly string[];
}

function shown({ message, extensions }: ResponseError): Shown {
  const { fields = [], requestId } = (extensions ?? {}) as ResponseError['extensions'] & {
    readonly requestId?: string;
  };
  return { message, requestId, fields: fields.map(({ path, message: issue }) => `${path} ${issue}`) };
}

/** Says in the API's own words what did not work, and what to do. */
export function ErrorBox({ error, onRetry }: ErrorBoxProps): VNode {
  const { parts } = useTexts();
  const told: readonly ResponseError[] =
    error instanceof RefusedError || error instanceof GraphqlRequestError
      ? error.errors
      : error instanceof CombinedError
        ? (error.graphQLErrors as unknown as readonly ResponseError[])
        : [];
  const isAway = error instanceof ConnectionError || (error instanceof CombinedError && error.networkError);
  const errors = told.length > 0 ? told.map(shown) : [{ message: isAway ? parts.noAnswer : error.message, fields: [] }];
  return (
    <div role="alert" class="error">
      <strong>{parts.error}</strong>
      {errors.map(({ message, requestId, fields }: Shown, index) => (
        <div key={index}>
          <p>{message}</p>
          {fields.length > 1 && (
            <ul>
              {fields.map((issue) => (
                <li key={issue}>{issue}</li>
              ))}
            </ul>
          )}
          {requestId && <small>{parts.requestId(requestId)}</small>}
        </div>
      ))}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {parts.tryAgain}
        </button>
      )}
    </div>
  );
}
