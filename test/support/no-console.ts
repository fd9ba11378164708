import { afterEach, vi } from 'vitest';

/** Console output in a test is an unhandled warning. It fails the test. */
const methods = ['log', 'info', 'warn', 'error', 'debug'] as const;
const spies = methods.map((method) => vi.spyOn(console, method));

afterEach(() => {
  const lines = spies.flatMap((spy) => spy.mock.calls.map((call) => call.map(String).join(' ')));
  spies.forEach((spy) => spy.mockClear());
  if (lines.length > 0) throw new Error(`the test wrote to the console: ${lines.join(' | ')}`);
});
