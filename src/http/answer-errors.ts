import { randomUUID } from 'node:crypto';
import type { ApolloServerOptions } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import type { ErrorFormatter } from './error-format.js';
import type { createOperationContext } from './operation-context.js';
import type { OperationStages } from './operation-stages.js';

type Context = ReturnType<typeof createOperationContext>;

/** The errors of answers, which name the request that they belong to. */
export interface AnswerErrors {
  /** Puts a sign in the place of an error, until its request is known. */
  readonly formatError: NonNullable<ApolloServerOptions<Context>['formatError']>;
  /** Formats the errors of an operation. It must come before all parts that read or replace errors. */
  readonly stages: OperationStages;
  /** Keeps an answer that no operation has made. @returns a name for `finish`; undefined for all other answers */
  keep(answer: { readonly errors?: readonly GraphQLFormattedError[] }): string | undefined;
  /** Gives the text of a kept answer, and any other text as it is. */
  finish(text: string, requestId: string): string;
}

/**
 * Formats errors when their request is known. Apollo Server hands an error over without its request, and refuses some
 * requests before there is an operation. AsyncLocalStorage would know the request, but makes every promise of the process
 * dearer on Node.js before 24.
 */
export function createAnswerErrors(formatError: ErrorFormatter, count: (code: string) => void): AnswerErrors {
  const waiting = new WeakMap<GraphQLFormattedError, unknown>();
  const kept = new Map<string, readonly GraphQLFormattedError[]>();
  const named = (errors: readonly GraphQLFormattedError[], requestId: string): GraphQLFormattedError[] =>
    errors.map((error) => (waiting.has(error) ? formatError(waiting.get(error), requestId) : error));
  return {
    formatError(_formatted, error) {
      const sign = { message: '' };
      waiting.set(sign, error);
      return sign;
    },
    stages: {
      willSendResponse({ response: { body }, contextValue: { requestId } }) {
        if (body.kind !== 'single' || !body.singleResult.errors) return;
        body.singleResult = { ...body.singleResult, errors: named(body.singleResult.errors, requestId) };
      },
    },
    keep({ errors = [] }) {
      if (!errors.some((error) => waiting.has(error))) return undefined;
      const name = randomUUID();
      kept.set(name, errors);
      return name;
    },
    finish(text, requestId) {
      const errors = kept.get(text);
      if (!errors) return text;
      kept.delete(text);
      const formatted = named(errors, requestId);
      for (const { extensions } of formatted) count(String(extensions?.code));
      return `${JSON.stringify({ errors: formatted })}\n`;
    },
  };
}
