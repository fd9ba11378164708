import { execFile } from 'node:child_process';

/** Runs the container's health check. @returns its exit code and its output */
export function healthcheck(
  role: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['ops/healthcheck.mjs', role], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: (stdout + stderr).trim() });
    });
  });
}
