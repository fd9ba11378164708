/*
 * Serves the patients over GraphQL with a token check and nothing else.
 *
 *   node server.mjs FOLDER mercurius|apollo       FOLDER has the packages (bench/peer/set-up.sh)
 *
 * It takes MONGO_URI, PEER_DATABASE and PEER_SECRET from the environment, and tells its parent its port.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, library] = process.argv.slice(2);
const load = createRequire(join(folder, 'package.json'));
const { MongoClient, ObjectId } = load('mongodb');

const typeDefs = `
  type Query {
    patients(first: Int = 20): PatientConnection!
    patient(id: ID!): Patient
  }
  type PatientConnection { edges: [PatientEdge!]! }
  type PatientEdge { node: Patient! }
  type Patient {
    id: ID!
    mrn: String
    givenName: String
    familyName: String
    birthDate: String
    sex: Sex
    features: [Feature!]!
  }
  enum Sex { MALE FEMALE OTHER UNKNOWN }
  type Feature { code: String!  value: Float!  unit: String! }
`;
const patients = (await MongoClient.connect(process.env.MONGO_URI))
  .db(process.env.PEER_DATABASE)
  .collection('patients');
const resolvers = {
  Query: {
    patients: async (_, { first }) => ({
      edges: (await patients.find().sort({ _id: -1 }).limit(Math.min(first, 500)).toArray()).map((node) => ({ node })),
    }),
    patient: (_, { id }) => patients.findOne({ _id: new ObjectId(id) }),
  },
  Patient: { id: ({ _id }) => _id.toHexString() },
};

const app = load('fastify')();
const verify = load('fast-jwt').createVerifier({ key: process.env.PEER_SECRET, cache: true });
app.addHook('onRequest', async (request, reply) => {
  try {
    verify(request.headers.authorization.slice('Bearer '.length));
  } catch {
    return reply.code(401).send();
  }
});
if (library === 'mercurius') {
  app.register(load('mercurius'), { schema: typeDefs, resolvers, jit: 1 });
} else {
  const { ApolloServer } = load('@apollo/server');
  const integration = load('@as-integrations/fastify');
  const server = new ApolloServer({ typeDefs, resolvers });
  await server.start();
  app.route({ method: 'POST', url: '/graphql', handler: integration.fastifyApolloHandler(server) });
}
await app.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send({ ready: `http://127.0.0.1:${app.server.address().port}` });
