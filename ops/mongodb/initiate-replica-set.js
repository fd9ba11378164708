// Creates the replica set of one node, and the user with whom RiskGraph logs in. mongosh runs this script as root at
// every start. A later run only sets the user's password to the present secret.
/* global Mongo, sleep, require */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- mongosh runs no modules
const { readFileSync } = require('node:fs');

const secret = (name) => readFileSync(`/run/secrets/${name}`, 'utf8').trim();
const client = new Mongo('mongodb://mongodb:27017/?directConnection=true');
const admin = client.getDB('admin');
admin.auth('root', secret('mongo_root_password'));

const replicaSet = { _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] };
try {
  admin.runCommand({ replSetInitiate: replicaSet });
} catch (error) {
  if (error.codeName !== 'AlreadyInitialized') throw error;
}

const deadline = Date.now() + 60_000;
while (!admin.hello().isWritablePrimary) {
  if (Date.now() > deadline) throw new Error('the replica set has no primary after 60 seconds');
  sleep(200);
}

const application = client.getDB('riskgraph');
const user = { pwd: secret('mongo_password'), roles: [{ role: 'readWrite', db: 'riskgraph' }] };
if (application.getUser('riskgraph')) application.updateUser('riskgraph', user);
else application.createUser({ user: 'riskgraph', ...user });
