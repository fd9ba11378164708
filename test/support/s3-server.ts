import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { serveUntilEnd } from './serve.js';

/** A small S3 that checks signatures, over HTTP on this machine. */
interface S3Server {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The stored objects by `bucket/key`. */
  readonly objects: Map<string, Buffer>;
  /** Unfinished uploads by their ids. */
  readonly uploads: Map<string, Upload>;
  /**
   * Answers the next requests of this method with a status, or resets their connections: before the request is carried
   * out, or after it (`lost`). COMPLETE is the end of an upload.
   */
  failNext(method: string, failure: Failure, times: number): void;
}

type Failure = number | 'reset' | 'lost';

interface Upload {
  readonly key: string;
  readonly parts: Map<number, Buffer>;
  initiated: Date;
}

const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');
const tagOf = (content: Uint8Array): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** Objects per page of a list. */
const perPage = 2;

export async function startS3Server(): Promise<S3Server> {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Upload>();
  let failing: { method: string; failure: Failure; times: number } = { method: '', failure: 0, times: 0 };

  function answer(method: string, url: URL, body: Buffer): { status: number; body?: string | Buffer; etag?: string } {
    const key = decodeURIComponent(url.pathname.slice(1));
    const query = url.searchParams;
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (query.has('uploadId') && !upload) return { status: 404, body: '<Error><Code>NoSuchUpload</Code></Error>' };
    if (method === 'POST' && query.has('uploads')) {
      const id = randomUUID();
      uploads.set(id, { key, parts: new Map(), initiated: new Date() });
      return {
        status: 200,
        body: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      };
    }
    if (method === 'PUT' && upload) {
      upload.parts.set(Number(query.get('partNumber')), body);
      return { status: 200, etag: tagOf(body) };
    }
    if (method === 'POST' && upload) {
      const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g)];
      const parts = named.map(([, number, tag]) => ({ part: upload.parts.get(Number(number))!, tag }));
      if (parts.some(({ part, tag }) => tagOf(part) !== tag))
        return { status: 400, body: '<Error><Code>InvalidPart</Code></Error>' };
      objects.set(upload.key, Buffer.concat(parts.map(({ part }) => part)));
      uploads.delete(query.get('uploadId')!);
      return { status: 200, body: '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>' };
    }
    if (method === 'DELETE') {
      if (upload) uploads.delete(query.get('uploadId')!);
      else objects.delete(key);
      return { status: 204 };
    }
    if (method === 'PUT') {
      objects.set(key, body);
      return { status: 200, etag: tagOf(body) };
    }
    const inBucket = (name: string): boolean => name.startsWith(`${key}/${query.get('prefix') ?? ''}`);
    const keyOf = (name: string): string => name.slice(key.length + 1);
    if (query.has('uploads')) {
      const list = [...uploads].filter(([, found]) => inBucket(found.key));
      const xml = list.map(
        ([id, found]) =>
          `<Upload><Key>${keyOf(found.key)}</Key><UploadId>${id}</UploadId><Initiated>${found.initiated.toISOString()}</Initiated></Upload>`,
      );
      return { status: 200, body: `<ListMultipartUploadsResult>${xml.join('')}</ListMultipartUploadsResult>` };
    }
    if (query.has('list-type')) {
      const from = Number(query.get('continuation-token') ?? 0);
      const names = [...objects.keys()].filter(inBucket).sort();
      const xml = names
        .slice(from, from + perPage)
        .map(
          (name) =>
            `<Contents><Key>${keyOf(name)}</Key><LastModified>${new Date().toISOString()}</LastModified></Contents>`,
        );
      const next =
        from + perPage < names.length ? `<NextContinuationToken>${from + perPage}</NextContinuationToken>` : '';
      return { status: 200, body: `<ListBucketResult>${xml.join('')}${next}</ListBucketResult>` };
    }
    const found = objects.get(key);
    return found ? { status: 200, body: found } : { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' };
  }

  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const url = new URL(request.url!, 'http://s3');
    const isEnd = request.method === 'POST' && url.searchParams.has('uploadId');
    if (failing.times > 0 && failing.method === (isEnd ? 'COMPLETE' : request.method)) {
      failing.times -= 1;
      if (failing.failure === 'lost') answer(request.method!, url, body);
      if (typeof failing.failure === 'string') request.socket.resetAndDestroy();
      else response.writeHead(failing.failure).end('<Error><Code>InternalError</Code></Error>');
      return;
    }
    if (!isSigned(request, body, keys)) {
      response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
      return;
    }
    const { status, body: content, etag } = answer(request.method!, url, body);
    const headers = { ...(etag && { etag }), ...(content && { 'content-length': Buffer.byteLength(content) }) };
    response.writeHead(status, headers).end(content);
  });
  return {
    endpoint: await serveUntilEnd(server),
    keys,
    objects,
    uploads,
    failNext: (method, failure, times) => (failing = { method, failure, times }),
  };
}

/**
 * Checks the signature of a request, and the hash of its body.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
function isSigned(request: IncomingMessage, body: Buffer, keys: S3Server['keys']): boolean {
  const [, credential, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      request.headers.authorization ?? '',
    ) ?? [];
  if (!credential || !names) return false;
  const [accessKeyId, date, region, service] = credential.split('/') as [string, string, string, string];
  const url = new URL(request.url!, 'http://s3');
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const claimed = String(request.headers['x-amz-content-sha256']);
  const canonical = [request.method, url.pathname, query.join('&'), headers.join(''), names, claimed].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${keys.secretAccessKey}`,
  );
  return (
    accessKeyId === keys.accessKeyId &&
    claimed === sha256(body) &&
    createHmac('sha256', key).update(text).digest('hex') === signature
  );
}
