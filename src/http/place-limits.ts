import type { SocketLimits } from '../config/config.js';
import type { PlaceLimits } from './places.js';

/**
 * Descriptors that are left for the databases (50 connections to MongoDB), the listening sockets, the log, the models and
 * new connections.
 */
const reservedDescriptors = 160;
/** The most connections for HTTP whose callers have shown a valid credential. */
const mostHttpConnections = 4_000;

/** The places of a process. */
interface SharedPlaces {
  /** The most connections of any kind. */
  readonly mostConnections: number;
  readonly connections: PlaceLimits;
  readonly sockets: PlaceLimits;
}

/**
 * Shares the connections that a process can have among HTTP and WebSockets. Each has places of its own, so that neither
 * can take the descriptors of the other. When there are fewer places than the settings allow, users and organizations
 * have the same parts of them.
 * @param descriptors the most descriptors of this process
 */
export function sharePlaces(limits: SocketLimits, descriptors: number): SharedPlaces {
  const mostConnections = Math.max(descriptors - reservedDescriptors, 32);
  const unproven = Math.min(limits.unauthenticatedPerNode, Math.floor(mostConnections / 8));
  const ofHttp = Math.min(mostHttpConnections, Math.floor(mostConnections / 4));
  const ofSockets = Math.min(limits.socketsPerNode, mostConnections - 2 * unproven - ofHttp);
  const placesOf = (proven: number): PlaceLimits => ({
    unproven,
    unprovenPerAddress: part(limits.unauthenticatedPerAddress, unproven / limits.unauthenticatedPerNode),
    perUser: part(limits.socketsPerUser, proven / limits.socketsPerNode),
    perOrganization: part(limits.socketsPerOrganization, proven / limits.socketsPerNode),
    proven,
  });
  return { mostConnections, connections: placesOf(ofHttp), sockets: placesOf(ofSockets) };
}

/** The part of a limit, at least one. */
const part = (limit: number, fraction: number): number => Math.max(Math.floor(limit * fraction), 1);

const noLimit: PlaceLimits = {
  unprovenPerAddress: Infinity,
  unproven: Infinity,
  perUser: Infinity,
  perOrganization: Infinity,
  proven: Infinity,
};

/** Places without limits, for the benchmark that measures the cost of all limits. */
export const unlimitedPlaces: SharedPlaces = { mostConnections: Infinity, connections: noLimit, sockets: noLimit };
