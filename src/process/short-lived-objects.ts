import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 make every object in its young generation. By itself it makes objects in the old one when most of their kind
 * survived a collection. Requests that are under way survive one too. An object of a request that was made in the old
 * generation keeps all else of that request in memory until the next full collection.
 * Measured in docs/decisions/0026-getters-of-classes.md. A Node.js whose V8 has no such flag says so and goes on.
 * https://nodejs.org/docs/latest-v20.x/api/v8.html#v8setflagsfromstringflags
 */
export const keepRequestsYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');
