import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { readMongoUri } from '../storage/mongo-uri.js';
import { isSlug, slugRule } from './slug.js';

/** A whole number from a minimum to a maximum, both included. */
export function wholeNumber(minimum: number, maximum: number) {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return z.coerce
    .number({ error })
    .refine((value) => Number.isInteger(value) && value >= minimum && value <= maximum, { error });
}

/** One of a list of words. */
export const oneOf = <const Word extends string>(words: readonly [Word, ...Word[]]) =>
  z.enum(words, { error: `must be one of ${words.map((word) => `"${word}"`).join(', ')}` });

/** A text that is not empty: a name, or the path of a file or folder. */
export const text = z.string().min(1);

/** A URL of HTTP, such as the example. */
export const httpUrl = (example: string) => z.url({ protocol: /^https?$/, error: `must be a URL such as ${example}` });

/** A list with commas, e.g. `a, b`. Empty entries are dropped. */
export const listOf = <T extends z.ZodType<unknown, string>>(entry: T) =>
  z
    .string()
    .transform((list) =>
      list
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(entry));

/** A connection string of MongoDB, by the rules of its driver. */
export const mongoUri = z
  .string()
  .regex(/^mongodb(\+srv)?:\/\//, { error: 'must start with mongodb:// or mongodb+srv://', abort: true })
  .refine((uri) => readMongoUri(uri) !== undefined, {
    error:
      'is not a MongoDB connection string: ' +
      'encode the special characters of its user name and password (%40 for @, %2F for /)',
  });

/** A URL of Redis. */
export const redisUrl = z
  .string()
  .regex(/^rediss?:\/\//, { error: 'must start with redis:// or rediss://', abort: true })
  .refine((url) => URL.canParse(url), {
    error: 'is not a URL: encode the special characters of its password (%2F for /)',
  });

/**
 * An origin such as `https://app.example.org`, as a browser writes it in the header Origin (RFC 6454), or `*` for all.
 */
export const origin = z.string().refine((entry) => entry === '*' || isOrigin(entry), {
  error: 'must be origins such as https://app.example.org, without a path, or *',
});

function isOrigin(entry: string): boolean {
  return /^https?:\/\/[^*]+$/.test(entry) && URL.canParse(entry) && new URL(entry).origin === entry;
}

const proxyGroups = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * A trusted proxy as Fastify takes it: an address, a range such as 10.0.0.0/8, or a named group.
 * https://fastify.dev/docs/latest/Reference/Server/#trustproxy
 */
export const proxy = z.string().refine((entry) => proxyGroups.includes(entry) || isAddress(entry) || isRange(entry), {
  error: `must be addresses, ranges such as 10.0.0.0/8, or ${proxyGroups.join(', ')}`,
});

// Refuses 10.1 and 0x0a000001, which the library also reads as IPv4 addresses: they are most likely typing errors.
const isAddress = (entry: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(entry) || ipaddr.IPv6.isValid(entry);

/**
 * Tells whether the entry is a range. A prefix of 0 bits is refused: it holds every address, so every caller would be
 * trusted.
 */
function isRange(entry: string): boolean {
  const valid = ipaddr.IPv4.isValidCIDRFourPartDecimal(entry) || ipaddr.IPv6.isValidCIDR(entry);
  return valid && ipaddr.parseCIDR(entry)[1] > 0;
}

/** Slugs of organizations, at least one. */
export const organizations = listOf(
  z.string().refine(isSlug, `must be slugs of organizations (${slugRule}), with commas between them`),
).refine((slugs) => slugs.length > 0, 'must name at least one organization');
