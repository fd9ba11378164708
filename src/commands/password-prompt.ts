import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import { StartupError } from '../errors.js';

/** The streams of the terminal, or those of a test. */
interface PromptStreams {
  /** Source of the password: the typed line of a terminal, else the whole input. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Target of the questions. It never gets the typed text. */
  readonly output: Writable;
}

const terminal: PromptStreams = { input: process.stdin, output: process.stderr };

/**
 * Reads a new password: asks for it twice without echo at a terminal, or reads standard input (`... < password-file`).
 * It is never an argument: arguments are in the shell's history, and in the list of processes that all users can read.
 * @throws StartupError when the two passwords differ, or the input is empty
 */
export async function readNewPassword({ input, output }: PromptStreams = terminal): Promise<string> {
  const password = input.isTTY ? await askTwice(input, output) : await readAll(input);
  if (password === '') throw new StartupError('No password was given: type one, or send it to standard input.');
  return password;
}

async function askTwice(input: Readable, output: Writable): Promise<string> {
  // readline writes the typed text to its own output. This output drops it.
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
    if ((await ask('Repeat the password: ')) !== password)
      throw new StartupError('The two passwords differ: nothing was changed.');
    return password;
  } finally {
    lines.close();
  }
}

/** Reads the whole input as text. Removes one line end at the end: it belongs to the file, not to its content. */
export async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
