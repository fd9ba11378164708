/** The settings of the private Redis that differ from one data directory to the next. */
interface RedisSettings {
  port: number;
  password: string;
  directory: string;
}

/**
 * The configuration file: loopback only, a password, every write in the append-only file (at most one second of them is lost
 * to a power cut), and no eviction, since BullMQ's jobs must never be dropped to make room.
 * Directives: https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/
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

/** Redis reads a quoted argument with backslash escapes. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`).replaceAll('\n', '\\n')}"`;
}
