/**
 * Finds processes and files that a run of the tests left behind, names them, and ends or removes them. It exits 1 when
 * there were any. Arguments: the value of RISKGRAPH_TEST_RUN in the environment of the run, its folder for temporary
 * files, the id of the process that ran it, and the seconds that the last processes have to end (10 by default).
 *
 * 1. It lists the processes of the run. Only Linux shows their environment; elsewhere it checks files only.
 * 2. It gives them their seconds to end: a guard or a database may still be closing.
 * 3. It names and kills each process that still runs.
 * 4. It names each file in the folder, and then removes the folder.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Reads a file of a process; nothing when the process is gone or belongs to another user. */
function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function workingDirectory(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Reads the fields of /proc/PID/stat from the third on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function statusOf(pid) {
  const text = read(pid, 'stat');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], parent: Number(fields[1]), group: Number(fields[2]), startedAt: Number(fields[19]) };
}

/**
 * Lists the processes of a run. Most have its mark in their environment, but Redis overwrites its environment. So a
 * process also counts when it works in the run's folder, or when it is an orphan. An orphan is younger than the runner
 * and in its process group, but its parent is not.
 */
function processesOf(mark, folder, runner) {
  if (!existsSync('/proc/self/stat')) return [];
  const running = statusOf(runner);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && Number(name) !== runner)
    .map(Number)
    .filter((pid) => {
      const { state, parent, group, startedAt } = statusOf(pid);
      if (!state || state === 'Z' || state === 'X') return false;
      const isOrphan =
        group === running.group && startedAt > running.startedAt && statusOf(parent).group !== running.group;
      return (
        isOrphan ||
        read(pid, 'environ').split('\0').includes(`RISKGRAPH_TEST_RUN=${mark}`) ||
        `${workingDirectory(pid)}/`.startsWith(`${folder}/`)
      );
    });
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended on its own.
  }
}

const [mark, givenFolder, runner, patience = '10'] = process.argv.slice(2);
const folder = realpathSync(givenFolder);
const find = () => processesOf(mark, folder, Number(runner));
const deadline = Date.now() + Number(patience) * 1000;
while (find().length > 0 && Date.now() < deadline) await delay(200);
const processes = find();
for (const pid of processes) {
  const command = read(pid, 'cmdline').split('\0').join(' ').trim().slice(0, 200);
  console.log(`the tests left a process running, now killed: ${pid} ${command}`);
  endProcess(pid);
}
const files = readdirSync(folder);
for (const name of files) console.log(`the tests left a temporary file or folder, now removed: ${join(folder, name)}`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = processes.length + files.length > 0 ? 1 : 0;
