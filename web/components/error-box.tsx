import { CombinedError } from '@urql/core';
import type { VNode } from 'preact';
import { ConnectionError, GraphqlRequestError, type ResponseError } from '../../src/client/errors.js';
import { ProviderConnectionError } from '../session/provider-error.js';
import { RefusedError } from '../session/refused-error.js';
import { SignOutError } from '../session/sign-out-error.js';
import type { Texts } from '../texts/catalogue.js';
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

/** The words for an error that is no answer of the API. */
function wordsOf(error: Error, parts: Texts['parts']): string {
  if (error instanceof SignOutError) return parts.notEnded(wordsOf(error.reason, parts));
  if (error instanceof ProviderConnectionError) return parts.noProviderAnswer;
  return error instanceof ConnectionError ? parts.noAnswer : error.message;
}

/** Says in the API's own words what did not work, and what to do. */
export function ErrorBox({ error, onRetry }: ErrorBoxProps): VNode {
  const { parts } = useTexts();
  // urql calls every error of a transport one of the network, a refusal too.
  const cause = error instanceof CombinedError ? (error.networkError ?? error) : error;
  const told: readonly ResponseError[] =
    cause instanceof RefusedError || cause instanceof GraphqlRequestError
      ? cause.errors
      : cause instanceof CombinedError
        ? (cause.graphQLErrors as unknown as readonly ResponseError[])
        : [];
  const errors = told.length > 0 ? told.map(shown) : [{ message: wordsOf(cause, parts), fields: [] }];
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
