import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { exitOf } from '../../src/embedded/child-exit.js';
import { atEnd } from './at-end.js';
import { createAuthority } from './certificates.js';
import { freePort } from './free-port.js';
import { temporaryDirectory } from './temporary-directory.js';

/** The name by which the shipped configuration serves. */
export const nginxName = 'riskgraph.example.org';

/** The shipped configuration, with the places and addresses of a test. */
interface PreparedNginx {
  readonly directory: string;
  readonly configuration: string;
  readonly port: number;
  readonly plainPort: number;
  /** The PEM file of the authority of its certificate. */
  readonly caFile: string;
}

/** A real nginx that runs the shipped configuration. */
interface RunningNginx extends PreparedNginx {
  /** Process ids of nginx itself and of its workers. */
  readonly pid: number;
  log(): Promise<string>;
}

/** Replaces a text of the configuration. @throws when it is not there: the test would try another configuration */
function replace(configuration: string, from: string | RegExp, to: string): string {
  const replaced = configuration.replace(from, to);
  if (replaced === configuration) throw new Error(`ops/nginx/nginx.conf has no ${String(from)}`);
  return replaced;
}

/**
 * Writes the shipped configuration with the marked lines changed, as an operator does it.
 * @param apis URLs of the APIs
 * @param more further changes: text to text
 */
export async function prepareNginx(
  apis: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<PreparedNginx> {
  const directory = await temporaryDirectory();
  // The workers of nginx may run as another user.
  await chmod(directory, 0o755);
  const authority = await createAuthority(directory, 'test');
  const { certificateFile, keyFile } = await authority.issue('nginx', `DNS:${nginxName}`);
  const [port, plainPort] = [await freePort(), await freePort()];
  const servers = (options: string): string =>
    apis.map((api) => `        server ${new URL(api).host} ${options};\n`).join('');
  const changes: [string | RegExp, string][] = [
    [/^user .*$/m, process.getuid?.() === 0 ? 'user root;' : ''],
    ['pid /run/', `pid ${directory}/`],
    [/ \/run\/nginx-body/, ` ${directory}/body`],
    [/\/var\/log\/nginx\/error/, `${directory}/error`],
    [/\/var\/log\/nginx\/access/, `${directory}/access`],
    ['/etc/nginx/tls/riskgraph.crt', certificateFile],
    ['/etc/nginx/tls/riskgraph.key', keyFile],
    ...['max_fails=1 fail_timeout=3s', 'max_fails=0 backup', 'max_fails=0'].map((options): [RegExp, string] => [
      new RegExp(`( {8}server \\S+ ${options};.*\n)+`),
      servers(options),
    ]),
    [/listen 443/g, `listen 127.0.0.1:${port}`],
    [/listen 80/g, `listen 127.0.0.1:${plainPort}`],
    ...Object.entries(more),
  ];
  const shipped = await readFile('ops/nginx/nginx.conf', 'utf8');
  const changed = changes.reduce((text, [from, to]) => replace(text, from, to), shipped);
  const configuration = join(directory, 'nginx.conf');
  await writeFile(configuration, changed);
  return { directory, configuration, port, plainPort, caFile: authority.caFile };
}

/** Debian has nginx in a folder that only root's PATH names. */
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
const argumentsOf = ({ directory, configuration }: PreparedNginx): string[] => ['-p', directory, '-c', configuration];

/** Lets nginx check its configuration. @returns all that it says */
export async function checkNginx(prepared: PreparedNginx): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('nginx', ['-t', ...argumentsOf(prepared)], { env: environment });
  return stdout + stderr;
}

/** Starts nginx with the shipped configuration, before these APIs. */
export async function startNginx(...given: Parameters<typeof prepareNginx>): Promise<RunningNginx> {
  const prepared = await prepareNginx(...given);
  const child = spawn('nginx', [...argumentsOf(prepared), '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said += String(text)));
  const exited = exitOf(child);
  atEnd(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  let hasEnded = false as boolean;
  void exited.then(() => (hasEnded = true));
  while (!(await isOpen(prepared.port))) {
    if (hasEnded) throw new Error(`nginx has ended, or is not installed: ${said}`);
    await turn();
  }
  return {
    ...prepared,
    pid: child.pid!,
    log: () => readFile(join(prepared.directory, 'access.log'), 'utf8'),
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
