import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 make every object in its young generation. By itself it makes objects in the old one when most of their kind
 * survived a collection, and with 64 MiB for the young one (server-process.ts) those are the objects of the requests that
 * are under way. Such an object keeps all else of its request in memory until the next full collection.
 * Measured in docs/decisions/0026-getters-of-classes.md. A Node.js whose V8 has no such flag says so and goes on.
 * https://nodejs.org/docs/latest-v20.x/api/v8.html#v8setflagsfromstringflags
 */
export const keepRequestsYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');
