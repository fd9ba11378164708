import { StartupError } from '../errors.js';
import type { Config } from './config.js';

/** The settings that every process needs to start. */
export interface RequiredSettings {
  readonly mongoUri: string;
  readonly redisUrl: string;
  readonly secretKey: string;
}

/** @throws StartupError naming the first that is missing */
export function requireSettings({ mongoUri, redisUrl, secretKey }: Config): RequiredSettings {
  if (!mongoUri)
    throw new StartupError('MONGO_URI is not set: name your MongoDB, or run "riskgraph up", which brings one.');
  if (!redisUrl)
    throw new StartupError('REDIS_URL is not set: name your Redis, or run "riskgraph up", which brings one.');
  if (!secretKey)
    throw new StartupError(
      'SECRET_KEY is not set: set it to a random one, e.g. the output of "openssl rand -base64 48".',
    );
  return { mongoUri, redisUrl, secretKey };
}
