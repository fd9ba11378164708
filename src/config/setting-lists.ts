import { isIP } from 'node:net';
import { z } from 'zod';

/** A setting that is a list with commas, e.g. `a, b`. Empty entries do not count. */
export const listOf = <T extends z.ZodType<unknown, string>>(entry: T) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(entry));

/** `https://app.example.org`, as a browser writes it in the header Origin (RFC 6454), or `*` for all of them. */
export const originSetting = z.string().refine((text) => text === '*' || isOrigin(text), {
  error: 'must be origins such as https://app.example.org, without a path, or *',
});

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** What Fastify takes as a trusted proxy: an address, a range such as 10.0.0.0/8, or the name of one. https://fastify.dev/docs/latest/Reference/Server/#trustproxy */
export const proxySetting = z
  .string()
  .refine(isProxy, { error: 'must be addresses, ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal' });

function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128))
  );
}
