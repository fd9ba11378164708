import { setTimeout as delay } from 'node:timers/promises';
import {
  CreatePatientDocument,
  PatientsDocument,
  SubmitScoringJobDocument,
  TypedDocumentString,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { modelId, newPatient } from '../../test/support/heart-disease.js';
import type { Deployment, Member } from './deployment.js';

/*
 * Means to make faults: load, and processes that stand still.
 */

export const BreakGlassDocument = new TypedDocumentString<object, { readonly patientId: string }>(
  `mutation BreakGlass($patientId: ID!) {
    breakGlass(input: { patientId: $patientId, reason: "The drill of the alerts" }) { id }
  }`,
);

export const ofKind = ({ members }: Deployment, kind: Member['kind']): Member[] =>
  [...members].filter((member) => member.kind === kind);

export async function patients({ client }: Deployment, count: number): Promise<string[]> {
  const ids: string[] = [];
  // More connections at a time would be refused.
  for (let left = count; left > 0; left -= atATime) {
    const made = Array.from({ length: Math.min(left, atATime) }, () =>
      client.request(CreatePatientDocument, { input: newPatient() }).catch(() => undefined),
    );
    // On a busy machine some are late. The others are enough.
    ids.push(...(await Promise.all(made)).flatMap((answer) => (answer ? [answer.createPatient.id] : [])));
  }
  return ids;
}

/** Requests of one caller at a time. */
const atATime = 20;

export async function submitAll({ client }: Deployment, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += atATime)
    await Promise.all(
      ids
        .slice(start, start + atATime)
        .map((patientId) =>
          client.request(SubmitScoringJobDocument, { input: { patientId, modelId } }).catch(() => undefined),
        ),
    );
}

/** Does something so many times at once, and waits for all of it. */
export const atOnce = (times: number, act: () => Promise<unknown>): Promise<unknown> =>
  Promise.allSettled(Array.from({ length: times }, act));

export const store = (client: GraphqlClient): Promise<unknown> =>
  client.request(CreatePatientDocument, { input: newPatient() });

export const readOne = (client: GraphqlClient): Promise<unknown> => client.request(PatientsDocument, { first: 1 });

/** Does something again and again until the repair. */
export function repeating(act: () => unknown, periodMs: number): () => Promise<void> {
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      await Promise.resolve(act()).catch(() => undefined);
      await delay(periodMs);
    }
  })();
  return async () => {
    isOver = true;
    await loop;
  };
}

export const freeze = (pid: number | undefined): void => void process.kill(pid!, 'SIGSTOP');
export const thaw = (pid: number | undefined): void => void process.kill(pid!, 'SIGCONT');

/** Freezes a process for most of the time. */
export const stutter = (pid: number, stoppedMs: number, runningMs: number): (() => Promise<void>) =>
  repeating(async () => {
    freeze(pid);
    await delay(stoppedMs);
    thaw(pid);
  }, runningMs);
