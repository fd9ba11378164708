import { Types } from 'mongoose';
import { z } from 'zod';
import {
  ScoringJobState,
  WebhookDeliveryState,
  type WebhookDelivery,
  type WebhookEndpoint,
} from '../../models/index.js';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { ConflictError, NotFoundError } from '../errors.js';
import type { EventBus } from '../events/event-bus.js';
import { idOrNone, parseInput } from '../input.js';
import { defined } from '../process/defined.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import type { IndexKeys } from '../scope/scoped-collection.js';
import { newestFirstIndex, readPage, type Page, type PageRequest } from '../scope/pagination.js';
import { isDuplicateKey } from '../storage/database.js';
import { readEndpoints, sealEndpoint } from './endpoint-secrets.js';
import { knownEverywhereMs } from './outbox.js';
import { newSecret } from './signature.js';
import { urlIssue } from './webhook-url.js';

/** Most endpoints of one organization. */
const mostEndpoints = 10;
const hourMs = 3_600_000;
/** Hours for which both secrets sign after a rotation, unless the caller names others. */
const overlapHours = 24;

const terminalStates = [ScoringJobState.COMPLETED, ScoringJobState.FAILED, ScoringJobState.CANCELLED] as const;

interface CreateWebhookEndpoint {
  readonly url: string;
  readonly description?: string | null;
  readonly states?: readonly ScoringJobState[] | null;
}

interface RotateWebhookSecret {
  readonly id: string;
  readonly overlapHours?: number | null;
}

const rotateSchema = z.object({
  id: z.string(),
  overlapHours: z.number().int().min(0, 'must be from 0 to 168').max(168, 'must be from 0 to 168').nullish(),
});

/** An endpoint with its address in the clear. Its secret is never read again. */
export interface ShownEndpoint {
  readonly endpoint: WebhookEndpoint;
  readonly url: string;
}

/** An endpoint with its new secret: this is the only time it can be read. */
export interface EndpointWithSecret extends ShownEndpoint {
  readonly secret: string;
}

/** Conditions of the delivery log. */
interface WebhookDeliveryFilter {
  readonly endpointId?: string | null;
  readonly jobId?: string | null;
  readonly state?: WebhookDeliveryState | null;
}

/** The endpoints of the viewer's organization, and the log of their deliveries. Every method authorises first. */
export interface WebhookService {
  list(viewer: Viewer | null, request: PageRequest): Promise<Page<ShownEndpoint>>;
  /** @throws BadUserInputError, ConflictError when the organization has as many as it may */
  create(viewer: Viewer | null, input: CreateWebhookEndpoint): Promise<EndpointWithSecret>;
  /** Makes a new secret. The present one signs too for some hours. @throws NotFoundError */
  rotate(viewer: Viewer | null, input: RotateWebhookSecret): Promise<EndpointWithSecret>;
  /** Enables an endpoint that was disabled. Jobs that ended meanwhile are not told. @throws NotFoundError */
  enable(viewer: Viewer | null, id: string): Promise<ShownEndpoint>;
  /** Deletes an endpoint with its log. @throws NotFoundError */
  remove(viewer: Viewer | null, id: string): Promise<string>;
  /** Reads the log of deliveries, newest first. */
  deliveries(
    viewer: Viewer | null,
    request: PageRequest,
    filter: WebhookDeliveryFilter,
  ): Promise<Page<WebhookDelivery>>;
  /** Sends a delivery that has ended again, under the same `webhook-id`. @throws NotFoundError, ConflictError */
  replay(viewer: Viewer | null, id: string): Promise<WebhookDelivery>;
}

interface WebhookServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly events: EventBus;
  readonly allowedHosts: readonly string[];
}

export function createWebhookService({
  scopeOf,
  audit,
  events,
  allowedHosts,
}: WebhookServiceDependencies): WebhookService {
  const action = 'webhook:manage';
  const entry = (id: Types.ObjectId) =>
    ({ action, subject: { kind: 'WEBHOOK_ENDPOINT', id: id.toHexString() } }) as const;
  const createSchema = z.object({
    url: z.string().superRefine((text, context) => {
      const message = urlIssue(text, allowedHosts);
      if (message) context.addIssue({ code: 'custom', message });
    }),
    description: z.string().trim().max(100, 'must have at most 100 characters').nullish(),
    states: z
      .array(z.enum(terminalStates, { error: `must be one of ${terminalStates.join(', ')}` }))
      .min(1, 'must name at least one state')
      .max(20, 'must name at most 20 states')
      .transform((states) => [...new Set(states)])
      .nullish(),
  });
  const changed = (): void => events.publish('webhookEndpointsChanged', {});

  async function find({ webhookEndpoints }: OrganizationScope, id: string): Promise<WebhookEndpoint> {
    const endpoint = await webhookEndpoints.findOne({ _id: idOrNone(id) });
    if (!endpoint) throw new NotFoundError('This webhook endpoint');
    return endpoint;
  }

  async function shown({ protection }: OrganizationScope, endpoint: WebhookEndpoint): Promise<ShownEndpoint> {
    const [secrets] = await readEndpoints(protection, [endpoint]);
    return { endpoint, url: secrets!.url };
  }

  /** Inserts at the first free place. Another request may take it first; then the next one is tried. */
  async function insert(
    { webhookEndpoints }: OrganizationScope,
    endpoint: Omit<WebhookEndpoint, 'organization' | 'slot'>,
  ): Promise<WebhookEndpoint> {
    for (;;) {
      const taken = new Set((await webhookEndpoints.find({}, { projection: { slot: 1 } })).map(({ slot }) => slot));
      const slot = Array.from({ length: mostEndpoints }, (_unused, place) => place).find((place) => !taken.has(place));
      if (slot === undefined)
        throw new ConflictError(
          'url',
          `An organization has at most ${mostEndpoints} webhook endpoints: delete one first.`,
        );
      try {
        return await webhookEndpoints.insert({ ...endpoint, slot });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    }
  }

  return {
    async list(viewer, request) {
      authorize(viewer, action);
      const scope = scopeOf(viewer);
      const page = await readPage<WebhookEndpoint>(
        scope.webhookEndpoints,
        { filter: {}, index: newestFirstIndex },
        request,
      );
      await audit.record(viewer, { action, outcome: 'ALLOWED' });
      const secrets = await readEndpoints(
        scope.protection,
        page.edges.map(({ node }) => node),
      );
      const edges = page.edges.map(({ cursor, node }, at) => ({
        cursor,
        node: { endpoint: node, url: secrets[at]!.url },
      }));
      return { ...page, edges };
    },

    async create(viewer, input) {
      authorize(viewer, action);
      const { url, description, states } = parseInput(createSchema, input);
      const _id = new Types.ObjectId();
      const scope = scopeOf(viewer);
      const secret = newSecret();
      const now = new Date();
      const sealed = await sealEndpoint(scope.protection, _id, { url, secret });
      return recorded(audit, viewer, entry(_id), async () => {
        const endpoint = await insert(scope, {
          ...defined({ description: description || undefined }),
          ...sealed,
          _id,
          states: states ?? [...terminalStates],
          createdAt: now,
          createdBy: viewer.username,
          activeSince: now,
          catchUpAt: new Date(now.getTime() + knownEverywhereMs),
        });
        changed();
        return { endpoint, url, secret };
      });
    },

    async rotate(viewer, input) {
      authorize(viewer, action);
      const { id, overlapHours: hours } = parseInput(rotateSchema, input);
      const scope = scopeOf(viewer);
      const present = await find(scope, id);
      return recorded(audit, viewer, entry(present._id), async () => {
        const [secrets] = await readEndpoints(scope.protection, [present]);
        const { url, secret: previousSecret } = secrets!;
        const secret = newSecret();
        const sealed = await sealEndpoint(scope.protection, present._id, { url, secret, previousSecret });
        const previousSecretUntil = new Date(Date.now() + (hours ?? overlapHours) * hourMs);
        const endpoint = await scope.webhookEndpoints.findOneAndUpdate(
          { _id: present._id, secret: present.secret },
          { $set: { ...sealed, previousSecretUntil } },
        );
        if (!endpoint)
          throw new ConflictError('id', 'Another request changed this webhook endpoint meanwhile: try again.');
        return { endpoint, url, secret };
      });
    },

    async enable(viewer, id) {
      authorize(viewer, action);
      const scope = scopeOf(viewer);
      const present = await find(scope, id);
      return recorded(audit, viewer, entry(present._id), async () => {
        const now = new Date();
        const enabled = await scope.webhookEndpoints.findOneAndUpdate(
          { _id: present._id, disabledAt: { $exists: true } },
          {
            $set: { activeSince: now, catchUpAt: new Date(now.getTime() + knownEverywhereMs) },
            $unset: { disabledAt: '', disabledReason: '', failingSince: '' },
          },
        );
        changed();
        return shown(scope, enabled ?? present);
      });
    },

    async remove(viewer, id) {
      authorize(viewer, action);
      const scope = scopeOf(viewer);
      const { _id } = await find(scope, id);
      return recorded(audit, viewer, entry(_id), async () => {
        await scope.webhookEndpoints.deleteMany({ _id });
        await scope.webhookDeliveries.deleteMany({ endpoint: _id });
        changed();
        return _id.toHexString();
      });
    },

    async deliveries(viewer, request, { endpointId, jobId, state }) {
      authorize(viewer, action);
      const filter = defined({
        endpoint: endpointId == null ? undefined : idOrNone(endpointId),
        job: jobId == null ? undefined : idOrNone(jobId),
        state: state ?? undefined,
      });
      const page = await readPage<WebhookDelivery>(
        scopeOf(viewer).webhookDeliveries,
        { filter, index: deliveryIndex(filter) },
        request,
      );
      await audit.record(viewer, { action, outcome: 'ALLOWED' });
      return page;
    },

    async replay(viewer, id) {
      authorize(viewer, action);
      const scope = scopeOf(viewer);
      const present = await scope.webhookDeliveries.findOne({ _id: idOrNone(id) });
      if (!present) throw new NotFoundError('This webhook delivery');
      const { disabledAt } = await find(scope, present.endpoint.toHexString());
      if (disabledAt) throw new ConflictError('id', 'The webhook endpoint is disabled: enable it first.');
      return recorded(audit, viewer, entry(present.endpoint), async () => {
        const replayed = await scope.webhookDeliveries.findOneAndUpdate(
          { _id: present._id, state: { $ne: WebhookDeliveryState.PENDING } },
          {
            $set: { state: WebhookDeliveryState.PENDING, attempts: 0, nextAttemptAt: new Date() },
            $unset: { leaseUntil: '', failure: '', responseStatus: '' },
          },
        );
        if (!replayed) throw new ConflictError('id', 'This webhook delivery still waits for its next attempt.');
        events.publish('webhooksDue', {});
        return replayed;
      });
    },
  };
}

/** The index of models/webhook-delivery.ts that gives the deliveries of a filter in their order. */
function deliveryIndex({ endpoint, job, state }: { endpoint?: unknown; job?: unknown; state?: unknown }): IndexKeys {
  if (job) return { organization: 1, job: 1, _id: -1 };
  if (endpoint && state) return { organization: 1, endpoint: 1, state: 1, _id: -1 };
  if (endpoint) return { organization: 1, endpoint: 1, _id: -1 };
  return state ? { organization: 1, state: 1, _id: -1 } : newestFirstIndex;
}
