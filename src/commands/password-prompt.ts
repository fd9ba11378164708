import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import { StartupError } from '../errors.js';

/** The streams of the terminal, or what stands in for them. */
interface PromptStreams {
  /** Where the password comes from: typed when it is a terminal, else all there is to read. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Where questions go. Never what is typed. */
  readonly output: Writable;
}

const terminal: PromptStreams = { input: process.stdin, output: process.stderr };

/**
 * A new password, asked for twice without echo at a terminal, or read from standard input (`... < password-file`). Never an
 * argument: those are in the shell's history, and in everybody's list of processes.
 * @throws StartupError when the two differ, or nothing comes
 */
export async function readNewPassword({ input, output }: PromptStreams = terminal): Promise<string> {
  const password = input.isTTY ? await askTwice(input, output) : await readAll(input);
  if (password === '') throw new StartupError('No password was given: type one, or send it to standard input.');
  return password;
}

async function askTwice(input: Readable, output: Writable): Promise<string> {
  // readline writes what is typed to its own output, which here leads nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  // Lines are queued: two that are pasted at once answer both questions.
  const typed = lines[Symbol.asyncIterator]();
  lines.once('SIGINT', () => lines.close());
  const ask = async (question: string): Promise<string> => {
    output.write(question);
    const { done, value } = await typed.next();
    output.write('\n');
    if (done) throw new StartupError('Interrupted: nothing was changed.');
    return value;
  };
  try {
    const password = await ask('Password: ');
    if ((await ask('Once more: ')) !== password)
      throw new StartupError('The two passwords differ: nothing was changed.');
    return password;
  } finally {
    lines.close();
  }
}

/** All there is to read. One line end at the end belongs to the file, not to what it holds. */
export async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
