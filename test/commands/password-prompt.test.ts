import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readNewPassword } from '../../src/commands/password-prompt.js';

/** A terminal with its keyboard and its screen. */
function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough({ encoding: 'utf8' });
  return { input, output, seen: (): string => (output.read() as string | null) ?? '' };
}

/** Resolves when the next question is on the terminal. */
const asked = (output: PassThrough): Promise<unknown> => new Promise((resolve) => output.once('readable', resolve));

async function type(...lines: string[]) {
  const { input, output, seen } = terminal();
  const password = readNewPassword({ input, output });
  const settled = password.then(
    () => undefined,
    () => undefined,
  );
  let text = '';
  for (const line of lines) {
    await asked(output);
    text += seen();
    input.write(line);
  }
  await settled;
  return { password, text: text + seen() };
}

test('a password is asked for twice, and neither typing nor corrections are shown', async () => {
  const { password, text } = await type('Canaryx\u007f 4711\r', 'Canary 4711\r');
  expect(await password).toBe('Canary 4711');
  expect(text).toBe('Password: \nRepeat the password: \n');
});

test('two lines that are pasted at once answer both questions', async () => {
  const { password, text } = await type('Canary 4711\rCanary 4711\r');
  expect(await password).toBe('Canary 4711');
  expect(text).not.toContain('Canary');
});

test('two different passwords are refused', async () => {
  const { password, text } = await type('Canary 4711\r', 'Canary 4712\r');
  await expect(password).rejects.toThrow('The two passwords differ');
  expect(text).not.toContain('Canary');
});

test.each(['\u0003', '\u0004'])('Ctrl-C and Ctrl-D end the question (%j)', async (key) => {
  const { password } = await type(key);
  await expect(password).rejects.toThrow('Interrupted');
});

test('input that is no terminal is read to its end, without the line end', async () => {
  for (const [text, password] of [
    ['two words \n', 'two words '],
    ['windows\r\n', 'windows'],
    ['bare', 'bare'],
    ['two\nlines\n', 'two\nlines'],
  ] as const) {
    const input = new PassThrough();
    input.end(text);
    expect(await readNewPassword({ input, output: new PassThrough() })).toBe(password);
  }
});

test('an empty input is refused', async () => {
  const input = new PassThrough();
  input.end('\n');
  await expect(readNewPassword({ input, output: new PassThrough() })).rejects.toThrow('No password was given');
});
