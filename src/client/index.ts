/**
 * The client of RiskGraph for browsers and Node.js: `import { createClient, submit } from 'riskgraph/client'`.
 * docs/client.md has the guide.
 */
export {
  createClient,
  type ClientOptions,
  type GraphqlClient,
  type SubscribeOptions,
  type TypedDocument,
} from './graphql-client.js';
export { ConnectionError, GraphqlRequestError, type ResponseError, type Result } from './errors.js';
export type { Credential } from './credential.js';
export {
  createSession,
  memoryStore,
  webStore,
  type Session,
  type SessionStore,
  type StoredSession,
} from './session.js';
export {
  JobEndedError,
  submit,
  watchJob,
  type FollowedJob,
  type JobEvent,
  type Submission,
  type SubmitOptions,
} from './submit.js';
export type { Operation } from './post.js';
export type { Sink } from './transport.js';
export * from './generated/graphql.js';
