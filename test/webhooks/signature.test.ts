import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { newSecret, signatures } from '../../src/webhooks/signature.js';

const message = { id: '6b0bb20422337b6c3a2e7dde', timestamp: Math.floor(Date.now() / 1_000), body: '{"type":"x"}' };
const headers = (signature: string) => ({
  'webhook-id': message.id,
  'webhook-timestamp': String(message.timestamp),
  'webhook-signature': signature,
});

test('the library of Standard Webhooks accepts our signature, and that of either secret of a rotation', () => {
  const [present, previous] = [newSecret(), newSecret()];
  expect(new Webhook(present).verify(message.body, headers(signatures([present], message)))).toEqual({ type: 'x' });
  const both = headers(signatures([present, previous], message));
  for (const secret of [present, previous])
    expect(new Webhook(secret).verify(message.body, both)).toEqual({ type: 'x' });
});

test('the library refuses another secret, another body, another id and another time', () => {
  const secret = newSecret();
  const signed = headers(signatures([secret], message));
  expect(() => new Webhook(newSecret()).verify(message.body, signed)).toThrow();
  expect(() => new Webhook(secret).verify('{"type":"y"}', signed)).toThrow();
  expect(() => new Webhook(secret).verify(message.body, { ...signed, 'webhook-id': 'other' })).toThrow();
  const later = String(message.timestamp + 1);
  expect(() => new Webhook(secret).verify(message.body, { ...signed, 'webhook-timestamp': later })).toThrow();
});

test('the signature is that of the example in the specification', () => {
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/javascript/src/index.test.ts
  const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
  expect(signatures(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], example)).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});
