import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mongo } from 'mongoose';
import { freePort } from '../../test/support/free-port.js';

/** Three members of a replica set, each a mongod of its own on this machine. Members and users log in. */
export interface ReplicaSet {
  /** The URI of a user that may read and write these databases, as docs/deployment.md asks for. */
  uri(database: string): string;
  /** Kills the primary with `kill -9`. @returns its number */
  killPrimary(): Promise<number>;
  /** Asks the primary to step down, as before a maintenance. */
  stepDown(): Promise<void>;
  /** Starts a member again. */
  restart(member: number): Promise<void>;
  close(): Promise<void>;
}

const size = 3;
const password = 'drill-of-a-replica-set';
const patienceMs = 60_000;

/**
 * Starts a replica set. It needs a mongod of MongoDB 4.4 or later.
 * @param program path of mongod
 * @param databases names of the databases of the user
 */
export async function startReplicaSet(
  program: string,
  folder: string,
  databases: readonly string[],
): Promise<ReplicaSet> {
  const keyFile = join(folder, 'replica-key');
  writeFileSync(keyFile, randomBytes(96).toString('base64'), { mode: 0o400 });
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const children: ChildProcess[] = [];
  const start = (member: number): void => {
    const dbpath = join(folder, `member-${member}`);
    mkdirSync(dbpath, { recursive: true });
    children[member] = spawn(
      program,
      [
        ...['--replSet', 'rs0', '--keyFile', keyFile, '--dbpath', dbpath, '--logpath', join(folder, `${member}.log`)],
        ...['--bind_ip', '127.0.0.1', '--port', String(ports[member]), '--unixSocketPrefix', folder, '--quiet'],
        ...['--wiredTigerCacheSizeGB', '0.25', '--logappend'],
      ],
      { stdio: 'ignore' },
    );
  };
  const end = async (member: number): Promise<void> => {
    const child = children[member]!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
  const close = async (): Promise<void> => {
    await Promise.all(children.map((_, member) => end(member)));
  };
  try {
    for (let member = 0; member < size; member += 1) start(member);
    await initiate(addresses);
    const root = new mongo.MongoClient(`mongodb://root:${password}@${addresses.join(',')}/admin?replicaSet=rs0`);
    await root.db('admin').command({
      createUser: 'riskgraph',
      pwd: password,
      roles: databases.map((db) => ({ role: 'readWrite', db })),
    });
    const primary = async (): Promise<number> => {
      const { primary: address } = (await root.db('admin').command({ hello: 1 })) as { primary?: string };
      if (address === undefined) throw new Error('the replica set has no primary');
      return addresses.indexOf(address);
    };
    return {
      uri: (database) =>
        `mongodb://riskgraph:${password}@${addresses.join(',')}/${database}?replicaSet=rs0&authSource=admin`,
      async killPrimary() {
        const member = await primary();
        await end(member);
        return member;
      },
      async stepDown() {
        await root.db('admin').command({ replSetStepDown: 30 });
      },
      async restart(member) {
        start(member);
      },
      async close() {
        await root.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function answers(address: string): Promise<void> {
  const options = { serverSelectionTimeoutMS: patienceMs };
  const member = new mongo.MongoClient(`mongodb://${address}/?directConnection=true`, options);
  await member
    .db('admin')
    .command({ ping: 1 })
    .finally(() => member.close());
}

/** Makes the members a replica set, and the first user. Without users, mongod lets this machine do that. */
async function initiate(addresses: readonly string[]): Promise<void> {
  // A member that does not listen yet makes the first one refuse the set.
  for (const address of addresses) await answers(address);
  const first = new mongo.MongoClient(`mongodb://${addresses[0]}/?directConnection=true`);
  const members = addresses.map((host, _id) => ({ _id, host }));
  try {
    await first.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
    for (const end = Date.now() + patienceMs; ; await delay(100)) {
      if ((await first.db('admin').command({ hello: 1 }))['isWritablePrimary']) break;
      if (Date.now() > end) throw new Error('the replica set has no primary');
    }
    await first.db('admin').command({ createUser: 'root', pwd: password, roles: ['root'] });
  } finally {
    await first.close();
  }
}
