/** The settings of the private Redis that differ from one data directory to the next. */
interface RedisSettings {
  port: number;
  password: string;
  directory: string;
}

/**
 * Returns the text of the configuration file. Redis listens on loopback only and has a password. Every write goes to
 * the append-only file; a power cut loses at most one second of writes. Nothing is evicted: BullMQ's jobs must never be
 * dropped. Directives: https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/
 */
export function redisConfiguration({ port, password, directory }: RedisSettings): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    'protected-mode yes',
    `requirepass ${quoted(password)}`,
    `dir ${quoted(directory)}`,
    'daemonize no',
    'loglevel warning',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** Quotes an argument. Redis reads it with backslash escapes. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`).replaceAll('\n', '\\n')}"`;
}
