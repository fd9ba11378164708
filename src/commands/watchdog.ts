import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';

/** Time without a turn of the event loop after which a process ends, seconds. */
const silentSeconds = 60;
/** Period between two looks at the work, milliseconds. */
const lookMs = 1_000;

/*
 * The program of the watching thread. It loads nothing of ours, so that it works when our modules do not. Once per second
 * it compares the number of turns. It counts its own turns, so a time in which the whole process or machine stood still
 * is no silence. SIGKILL needs no event loop.
 */
const watcher = `
  const { workerData: { turns, seconds, name } } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  let last = -1;
  let silent = 0;
  setInterval(() => {
    const present = Atomics.load(turns, 0);
    silent = present === last ? silent + 1 : 0;
    last = present;
    if (silent < seconds) return;
    const msg = 'the event loop stands still: the process ends, so that it is started again';
    try {
      writeSync(2, JSON.stringify({ level: 60, time: Date.now(), pid: process.pid, name, seconds, msg }) + '\\n');
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  }, 1000);
`;

/**
 * Ends this process when its event loop stands still, so that Docker, systemd or Kubernetes starts another one: none of
 * them restarts a process only because a check says that it is unhealthy, except Kubernetes.
 * @param options.name of the process, for the line that it leaves in the log
 * @param options.seconds without a turn. @defaultValue 60
 * @returns ends the watch
 */
export function watchEventLoop({ name, seconds = silentSeconds }: { name: string; seconds?: number }): () => void {
  const turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = setInterval(() => Atomics.add(turns, 0, 1), lookMs / 2);
  timer.unref();
  const thread = new Worker(watcher, { eval: true, execArgv: [], workerData: { turns, seconds, name } });
  thread.unref();
  return () => {
    clearInterval(timer);
    void thread.terminate();
  };
}

/**
 * Ends a process that has no supervisor of ours when only a new one helps.
 * @param isStuck tells whether the work of this process is stuck
 * @param end is called once
 */
export function endWhenStuck(isStuck: () => boolean, logger: Logger, end: () => void): () => void {
  const timer = setInterval(() => {
    if (!isStuck()) return;
    clearInterval(timer);
    logger.fatal('the work is stuck: the process ends, so that it is started again');
    end();
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
