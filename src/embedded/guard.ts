import { spawn } from 'node:child_process';

/**
 * Ends the process `pid` (SIGTERM) when this process is gone, even after kill -9. A shell waits for the end of a pipe
 * that only this process holds open. It is for programs that are not ours and do not watch a parent (redis-server,
 * mongod).
 *
 * @returns a function that ends the guard; call it as soon as `pid` has ended, before its number can be used again
 */
export function endWithThisProcess(pid: number): () => void {
  const script = 'while read -r _; do :; done; kill -TERM "$1" 2>/dev/null';
  const guard = spawn('/bin/sh', ['-c', script, 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell there is no guard. An engine left behind is then ended at the next start.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return () => {
    guard.kill('SIGKILL');
    guard.stdin.destroy();
  };
}
