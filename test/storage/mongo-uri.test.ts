import { describe, expect, test } from 'vitest';
import { readMongoUri } from '../../src/storage/mongo-uri.js';

describe('the hosts of a connection string', () => {
  test.each([
    ['mongodb://db', ['db']],
    ['mongodb://db:27017/r', ['db']],
    ['mongodb://a:1,b:2,c/r?replicaSet=rs0', ['a', 'b', 'c']],
    ['mongodb://user:p%40ss%3A%2F@a:1,b:2/r', ['a', 'b']],
    ['mongodb+srv://user:pass@cluster.example.org/r', ['cluster.example.org']],
    ['mongodb://[::1]:27017,[fd00::1]/r', ['[::1]', '[fd00::1]']],
    ['mongodb://%2Ftmp%2Fmongodb-27017.sock/r', ['/tmp/mongodb-27017.sock']],
    ['mongodb://db%2Eexample%2Eorg/r', ['db.example.org']],
  ])('%s names %j', (uri, hosts) => {
    expect(readMongoUri(uri)?.hosts).toEqual(hosts);
  });
});

describe('the database of a connection string', () => {
  test.each([
    ['mongodb://db/riskgraph', 'riskgraph'],
    ['mongodb://db/risk%2Dgraph?tls=true', 'risk-graph'],
    ['mongodb://%2Ftmp%2Fa.sock/r?directConnection=true', 'r'],
    ['mongodb://db', undefined],
    ['mongodb://db/', undefined],
    ['mongodb://db/?authSource=admin', undefined],
    ['mongodb://db?authSource=admin', undefined],
  ])('%s names %s', (uri, database) => {
    expect(readMongoUri(uri)?.database).toBe(database);
  });
});

describe('the TLS of a connection string', () => {
  test.each([
    ['mongodb://db/r', false],
    ['mongodb://db/r?tls=true', true],
    ['mongodb://db/r?SSL=true', true],
    ['mongodb://db/r?tls=false', false],
    ['mongodb://db/r?tls=false&ssl=true', false],
    ['mongodb://db/r?tls=true&TLS=false', false],
    ['mongodb+srv://db.example.org/r', true],
    ['mongodb+srv://db.example.org/r?tls=false', false],
    ['mongodb+srv://db.example.org/r?SSL=false', false],
  ])('of %s is requested: %s', (uri, encrypted) => {
    expect(readMongoUri(uri)).toMatchObject({ encrypted, verified: true });
  });

  test.each(['tlsInsecure', 'tlsAllowInvalidCertificates', 'tlsallowinvalidhostnames'])(
    'with %s verifies no certificate',
    (option) => {
      expect(readMongoUri(`mongodb://db/r?tls=true&${option}=true`)).toMatchObject({
        encrypted: true,
        verified: false,
      });
      expect(readMongoUri(`mongodb://db/r?tls=true&${option}=false`)).toMatchObject({
        encrypted: true,
        verified: true,
      });
    },
  );
});

test.each([
  '',
  'redis://db',
  'mongodb://',
  'mongodb://user:p@ss@db/r',
  'mongodb://user:p/ss@db/r',
  'mongodb://user:%zz@db/r',
  'mongodb+srv://a.example.org,b.example.org/r',
  'mongodb+srv://a.example.org:27017/r',
  'mongodb://[fe80::1%25eth0]/r',
])('"%s" is not a connection string', (uri) => {
  expect(readMongoUri(uri)).toBeUndefined();
});
