import type { ApolloServerPlugin } from '@apollo/server';
import { expect, test } from 'vitest';
import { stagesPlugin, type OperationStages } from '../../src/http/operation-stages.js';

type At = Parameters<NonNullable<OperationStages['didResolveOperation']>>[0];

/** Runs `didResolveOperation` of a plug-in that has these parts. */
async function resolved(parts: readonly OperationStages[]): Promise<void> {
  const plugin: ApolloServerPlugin<never> = stagesPlugin(parts, async () => null) as ApolloServerPlugin<never>;
  const listener = await plugin.requestDidStart!({} as never);
  await listener!.didResolveOperation!({} as never);
}

test('parts run in their order, and those that wait do so at the same time', async () => {
  const seen: string[] = [];
  const part = (name: string, wait?: Promise<void>): OperationStages => ({
    didResolveOperation: (_at: At) => {
      seen.push(name);
      return wait?.then(() => void seen.push(`${name} waited`));
    },
  });
  await resolved([part('first', Promise.resolve()), { willSendResponse: () => undefined }, part('second')]);
  expect(seen).toEqual(['first', 'second', 'first waited']);
});

test('a part that throws at once leaves no other refusal unheard', async () => {
  const late = Promise.reject(new Error('late'));
  await expect(
    resolved([
      { didResolveOperation: () => late },
      {
        didResolveOperation() {
          throw new Error('at once');
        },
      },
    ]),
  ).rejects.toThrow('late');
});
