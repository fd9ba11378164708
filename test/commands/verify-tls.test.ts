import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { expect, test } from 'vitest';
import { WarningError } from '../../src/commands/checks.js';
import { judgeTls } from '../../src/commands/front-checks.js';
import { StartupError } from '../../src/errors.js';
import { createAuthority, type Certificate } from '../support/certificates.js';
import { runCommand } from '../support/run-command.js';
import { serveUntilEnd } from '../support/serve.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

/** A proxy with TLS that passes GraphQL on. @returns its URL */
async function tlsProxy({ certificateFile, keyFile }: Certificate): Promise<string> {
  const to = new URL(system.url);
  const [cert, key] = await Promise.all([readFile(certificateFile), readFile(keyFile)]);
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const passed = request({ host: to.hostname, port: to.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  return (await serveUntilEnd(server)).replace('http:', 'https:');
}

test('verify names the reason once where TLS fails, tries nothing else there, and makes no trial', async () => {
  const folder = await temporaryDirectory();
  const authority = await createAuthority(folder, 'ours');
  const good = await tlsProxy(await authority.issue('good', 'IP:127.0.0.1'));
  const other = await tlsProxy(await authority.issue('other', 'DNS:scores.example.org'));
  const settings = { ...settingsFor(system.app.config), RISKGRAPH_TOKEN: token };
  const before = await system.app.models.organizations.countDocuments();
  const untrusted = await runCommand(['verify', '--url', good, '--health-url', system.url], settings);
  expect(untrusted.code).toBe(1);
  // No worker runs here, and health says so.
  expect(untrusted.output.match(/^FAIL (?!GET ).*/gm)).toEqual([
    `FAIL the address of callers: ${good} cannot be reached (UNABLE_TO_VERIFY_LEAF_SIGNATURE): the certificate is not ` +
      'trusted: let the proxy send its whole chain, or name its authority in NODE_EXTRA_CA_CERTS',
  ]);
  expect(untrusted.output).toContain('ok   GET /health/live inside: ');
  for (const name of ['access token', 'a synthetic patient is scored', 'the queue page', 'TLS', 'headers for browsers'])
    expect(untrusted.output).toContain(`--   ${name}: not checked: the address of callers cannot be reached\n`);
  expect(await system.app.models.organizations.countDocuments()).toBe(before);

  const trusting = { ...settings, NODE_EXTRA_CA_CERTS: authority.caFile };
  const misnamed = await runCommand(['verify', '--url', other], trusting);
  expect(misnamed.output.match(/^FAIL.*/gm)).toEqual([
    `FAIL the address of callers: ${other} cannot be reached (ERR_TLS_CERT_ALTNAME_INVALID): its certificate is for ` +
      'another name: give --url with that name, or get a certificate for this one',
  ]);
  // Other commands name the reason too.
  const { errors } = await runCommand(['job', 'cancel', '64b000000000000000000000', '--url', good], settings);
  expect(errors).toMatch(/cannot be reached \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\): the certificate is not trusted/);
});

test('a certificate is judged as the monthly look judges it', () => {
  const ofDays = (days: number) => () =>
    judgeTls({ protocol: 'TLSv1.3', validTo: new Date(Date.now() + (days + 0.5) * 86_400_000) });
  expect(ofDays(30)()).toBe('TLSv1.3, the certificate is trusted and valid for 30 days');
  const warning =
    'TLSv1.3, the certificate is trusted and ends in 19 days: renew it, 14 days before its end at the latest';
  expect(ofDays(19)).toThrow(new WarningError(warning));
  expect(ofDays(29)).toThrow(WarningError);
  expect(ofDays(13)).toThrow(new StartupError('the certificate ends in 13 days: renew it'));
});
