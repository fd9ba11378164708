import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import type { Role } from '../../models/index.js';
import type { AuditActor, AuditEntry } from '../../src/audit/audit-trail.js';
import type { ResponseError } from '../../src/client/errors.js';
import type { Answer, System } from './system.js';

/** A password that the policy accepts. */
export const goodPassword = 'four quiet herons at dusk';

export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly organization: string;
  readonly password: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
  readonly refreshExpiresAt: string;
}

export const loginMutation = `mutation ($input: LoginInput!) {
  login(input: $input) {
    accessToken refreshToken expiresAt refreshExpiresAt
    viewer { username role permissions organization { slug } }
  }
}`;
const refreshMutation = /* GraphQL */ `
  mutation ($input: RefreshInput!) {
    refresh(input: $input) {
      accessToken
      refreshToken
      expiresAt
      refreshExpiresAt
      viewer {
        username
        role
      }
    }
  }
`;

/** Creates a user as an administrator does. */
export async function createUser(
  system: System,
  options: {
    readonly username?: string;
    readonly role?: Role | `${Role}`;
    readonly organization?: string;
    readonly password?: string;
  } = {},
): Promise<TestUser> {
  const {
    username = `user-${randomUUID().slice(0, 8)}`,
    role = 'CLINICIAN',
    organization = 'alpha',
    password = goodPassword,
  } = options;
  const admin = await system.token('ADMIN', organization);
  const { data, errors } = await system.post<{ createUser: { id: string } }>(
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
    { input: { username, role, password } },
    admin,
  );
  if (!data) throw new Error(`not created: ${JSON.stringify(errors)}`);
  return { id: data.createUser.id, username, organization, password };
}

export const credentialOf = ({ organization, username, password }: TestUser) => ({ organization, username, password });

/** Logs in; throws when that is refused. */
export async function login(system: System, user: TestUser): Promise<Tokens> {
  const { data, errors } = await system.post<{ login: Tokens }>(loginMutation, { input: credentialOf(user) });
  if (!data) throw new Error(`not logged in: ${JSON.stringify(errors)}`);
  return data.login;
}

export const refresh = (system: System, refreshToken: string): Promise<Answer<{ refresh: Tokens }>> =>
  system.post(refreshMutation, { input: { refreshToken } });

/** Runs a mutation of one field as ADMIN; throws when it is refused. */
export async function asAdmin<T = Record<string, unknown>>(
  system: System,
  mutation: string,
  variables: object,
  organization = 'alpha',
): Promise<T> {
  const { data, errors } = await system.post<T>(mutation, variables, await system.token('ADMIN', organization));
  if (!data) throw new Error(`refused: ${JSON.stringify(errors)}`);
  return data;
}

/** Creates an API key with exactly these scopes. @returns the key */
export async function createApiKey(system: System, scopes: readonly string[], name = 'a machine'): Promise<string> {
  const created = await asAdmin<{ createApiKey: { key: string } }>(
    system,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name, scopes } },
  );
  return created.createApiKey.key;
}

export const updateUserMutation =
  'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { id role disabled } }';

/** Codes of the errors that refuse a token: none when it is good. */
export async function refusalsOf(system: Pick<System, 'post'>, token: string): Promise<(string | undefined)[]> {
  const { errors } = await system.post('{ viewer { username } }', undefined, token);
  return (errors ?? []).map(({ extensions }) => extensions?.code);
}

/** Posts from another address of this machine, e.g. 127.0.0.7. The API takes it for another caller. */
export function postFrom<T = Record<string, unknown>>(
  url: string,
  localAddress: string,
  query: string,
  variables?: object,
): Promise<Answer<T>> {
  return new Promise((resolve, reject) => {
    const posting = request(
      `${url}/graphql`,
      { method: 'POST', localAddress, headers: { 'content-type': 'application/json' }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode!,
            text,
            ...(JSON.parse(text) as { data?: T; errors?: ResponseError[] }),
          });
        });
      },
    );
    posting.on('error', reject);
    posting.end(JSON.stringify({ query, variables }));
  });
}

/** Collects the audit events from now on. They are still written to the audit trail. */
export function listenToAudit({ app }: System): {
  readonly events: (AuditEntry & { readonly actor: AuditActor })[];
  fail(error: Error | undefined): void;
} {
  const events: (AuditEntry & { readonly actor: AuditActor })[] = [];
  const record = app.audit.record.bind(app.audit);
  let failure: Error | undefined;
  Object.assign(app.audit, {
    record: async (actor: AuditActor, entry: AuditEntry) => {
      if (failure) throw failure;
      events.push({ ...entry, actor });
      await record(actor, entry);
    },
  });
  return { events, fail: (error) => void (failure = error) };
}

/** Options with which `startSystem` starts a second API process on the databases of a system. */
export const sameDatabases = ({ app: { config } }: System): { readonly environment: Record<string, string> } => ({
  environment: { MONGO_URI: config.mongoUri!, REDIS_URL: config.redisUrl!, REDIS_PREFIX: config.redisPrefix },
});
