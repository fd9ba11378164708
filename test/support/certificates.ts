import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);

/** Paths of PEM files. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A certificate authority that is valid for one day. */
interface Authority {
  readonly caFile: string;
  /** @param names e.g. `IP:127.0.0.1,DNS:localhost` */
  issue(file: string, names: string): Promise<Certificate>;
}

export async function createAuthority(directory: string, name: string): Promise<Authority> {
  const path = (file: string): string => join(directory, `${name}-${file}`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.crt'),
    '-days',
    '1',
    '-subj',
    `/CN=${name}`,
  );
  return {
    caFile: path('ca.crt'),
    async issue(file, names) {
      const [keyFile, request, certificateFile, extensions] = ['key', 'csr', 'crt', 'ext'].map((kind) =>
        path(`${file}.${kind}`),
      ) as [string, string, string, string];
      await writeFile(extensions, `subjectAltName=${names}`);
      await openssl('req', ...key, '-keyout', keyFile, '-out', request, '-subj', `/CN=${file}`);
      await openssl(
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
        '-CAcreateserial',
        '-days',
        '1',
        '-extfile',
        extensions,
        '-out',
        certificateFile,
      );
      return { certificateFile, keyFile };
    },
  };
}
