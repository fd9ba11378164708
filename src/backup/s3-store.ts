/*
 * Keeps files in a bucket of anything that speaks S3. A file of more than one part is uploaded part by part, so that only a
 * few parts are in memory. S3 shows it when it is complete. Keys with further folders behind the prefix belong to others.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReadableStream } from 'node:stream/web';
import { AwsClient } from 'aws4fetch';
import { StartupError } from '../errors.js';
import { missing } from './directory-store.js';
import type { FileStore, StoredFile } from './file-store.js';

/** Size of a part. S3 takes 10,000 of them, so a file has at most 156 GiB. */
const defaultPartBytes = 16 * 1024 * 1024;
/** Tries of a request that the server could not answer. */
const tries = 5;
/** Longest pause before the second try, milliseconds. It doubles from try to try. */
const firstPauseMs = 200;
/**
 * The answers after which S3 wants the request again, besides those of 500 and more: it saw no request in time, or too
 * many. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const passing: ReadonlySet<number> = new Set([408, 429]);

export interface S3Options {
  /** `s3://bucket/prefix` */
  readonly target: string;
  /** @defaultValue that of AWS in the region */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  /** @defaultValue 16 MiB */
  readonly partBytes?: number;
}

/** A request that S3 refused. */
class RefusedRequest extends StartupError {
  constructor(
    message: string,
    /** The code of S3, e.g. `NoSuchUpload`. */
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** Tells whether a place is in S3. */
export const isS3 = (target: string): boolean => target.startsWith('s3://');

/** @throws StartupError for a target of another form, and without keys of access */
export function createS3Store(options: S3Options): FileStore {
  const { target, region, accessKeyId, secretAccessKey, partBytes = defaultPartBytes } = options;
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/([\w./-]*))?$/.exec(target) ?? [];
  if (bucket === undefined)
    throw new StartupError(
      `BACKUP_TARGET: ${target} is not of the form s3://bucket/prefix, e.g. s3://hospital/riskgraph.`,
    );
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new StartupError('BACKUP_TARGET is in S3: set BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY.');
  const prefix = path.replace(/\/*$/, '') === '' ? '' : `${path.replace(/\/*$/, '')}/`;
  const root = `${(options.endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/*$/, '')}/${bucket}`;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });

  /**
   * Sends a request until it has an answer that stays. It is signed again each time. A second one does no harm: an
   * upload that was begun twice is removed with the abandoned ones.
   * @throws TypeError, as fetch does, when the last try had no answer
   */
  async function send(url: string, init: RequestInit): Promise<Response> {
    for (let left = tries - 1; ; left -= 1) {
      const answer = await client.fetch(url, init).catch((error: unknown) => {
        if (left === 0) throw error;
      });
      if (answer && (left === 0 || (answer.status < 500 && !passing.has(answer.status)))) return answer;
      await answer?.body?.cancel().catch(() => undefined);
      await delay(Math.random() * firstPauseMs * 2 ** (tries - 1 - left));
    }
  }

  async function request(method: string, url: string, body: Uint8Array | string = ''): Promise<Response> {
    const headers = { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') };
    // The types of the package are those of browsers, and bytes are taken too.
    const init = { method, headers, ...(body.length > 0 && { body: body as string }) };
    const answer = await send(url, init).catch((error: unknown) => {
      throw new StartupError(`${target} does not answer: check BACKUP_S3_ENDPOINT and the network.`, { cause: error });
    });
    if (answer.ok) return answer;
    const [code] = inXml(await answer.text(), 'Code');
    if (answer.status === 404 && method === 'GET') throw missing(url.slice(root.length + 1 + prefix.length), target);
    throw new RefusedRequest(
      `${target} refuses a request (status ${answer.status}, ${code ?? 'no code'}): check the bucket, its region, and the ` +
        'rights of BACKUP_S3_ACCESS_KEY_ID.',
      code,
    );
  }

  const urlOf = (name: string): string => `${root}/${prefix}${name}`;

  async function upload(name: string, parts: AsyncIterator<Buffer>, first: Buffer, second: Buffer): Promise<void> {
    const [id] = inXml(await (await request('POST', `${urlOf(name)}?uploads`)).text(), 'UploadId');
    const uploadUrl = (more = ''): string => `${urlOf(name)}?${more}uploadId=${encodeURIComponent(id!)}`;
    const tags: string[] = [];
    let bytes = 0;
    const sendPart = async (part: Buffer): Promise<void> => {
      const answer = await request('PUT', uploadUrl(`partNumber=${tags.length + 1}&`), part);
      tags.push(answer.headers.get('etag')!);
      bytes += part.length;
    };
    /** @throws the refusal of an upload that is unknown, unless its file is there: then an earlier answer was lost */
    const isThere = async (refusal: unknown): Promise<string> => {
      if (!(refusal instanceof RefusedRequest) || refusal.code !== 'NoSuchUpload') throw refusal;
      const file = await request('HEAD', urlOf(name)).catch(() => undefined);
      if (file?.headers.get('content-length') !== String(bytes)) throw refusal;
      return '';
    };
    try {
      await sendPart(first);
      await sendPart(second);
      for (let next = await parts.next(); !next.done; next = await parts.next()) await sendPart(next.value);
      const list = tags.map((tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('');
      const all = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;
      const answer = await request('POST', uploadUrl(), all).then((complete) => complete.text(), isThere);
      // S3 answers before it knows the outcome, so that a failure comes with the status 200.
      if (answer.includes('<Error>')) throw new StartupError(`${target} could not complete ${name}: try again.`);
    } catch (error) {
      await request('DELETE', uploadUrl()).catch(() => undefined);
      throw error;
    }
  }

  /** Goes through the pages of a list. */
  async function* pages(query: string): AsyncGenerator<string> {
    for (let token: string | undefined = ''; token !== undefined;) {
      const page: string = await (await request('GET', `${root}?${query}${token}`)).text();
      yield page;
      const [next] = inXml(page, 'NextContinuationToken');
      token = next === undefined ? undefined : `&continuation-token=${encodeURIComponent(next)}`;
    }
  }

  return {
    place: target,

    async put(name, content) {
      content.on('error', () => undefined);
      const parts = partsOf(content, partBytes);
      try {
        const [first, second] = [await parts.next(), await parts.next()];
        if (second.done) await request('PUT', urlOf(name), first.done ? '' : first.value);
        else await upload(name, parts, first.value as Buffer, second.value);
      } finally {
        content.destroy();
      }
    },

    isThere: async () => true,

    async get(name) {
      const { body } = await request('GET', urlOf(name));
      return Readable.fromWeb(body as ReadableStream<Uint8Array>);
    },

    async list() {
      const files: StoredFile[] = [];
      for await (const page of pages(`list-type=2&prefix=${encodeURIComponent(prefix)}`))
        for (const found of inXml(page, 'Contents')) {
          const [key] = inXml(found, 'Key');
          const [time] = inXml(found, 'LastModified');
          const name = key!.slice(prefix.length);
          if (!name.includes('/')) files.push({ name, storedAt: new Date(time!) });
        }
      return files;
    },

    async remove(name) {
      await request('DELETE', urlOf(name));
    },

    async removeAbandoned(before) {
      const own = encodeURIComponent(`${prefix}riskgraph-`);
      const page = await (await request('GET', `${root}?uploads&prefix=${own}`)).text();
      for (const found of inXml(page, 'Upload')) {
        const [key, id, time] = ['Key', 'UploadId', 'Initiated'].map((name) => inXml(found, name)[0]!);
        if (isBackupFile(key!.slice(prefix.length)) && new Date(time!) < before)
          await request('DELETE', `${root}/${key}?uploadId=${encodeURIComponent(id!)}`);
      }
    },
  };
}

/** Tells whether a key behind the prefix is that of a backup: others may keep files in the same bucket. */
const isBackupFile = (name: string): boolean => /^riskgraph-[\w-]+\./.test(name);

/** Gathers a stream to parts of one size. The last one may be smaller. */
async function* partsOf(content: Readable, bytes: number): AsyncGenerator<Buffer, undefined> {
  let pending: Uint8Array[] = [];
  let waiting = 0;
  for await (const piece of content as AsyncIterable<Uint8Array>) {
    for (let from = 0; from < piece.length;) {
      const taken = piece.subarray(from, from + bytes - waiting);
      pending.push(taken);
      waiting += taken.length;
      from += taken.length;
      if (waiting < bytes) continue;
      yield Buffer.concat(pending, waiting);
      [pending, waiting] = [[], 0];
    }
  }
  if (waiting > 0) yield Buffer.concat(pending, waiting);
}

/**
 * The texts of the elements of a name. The answers that are read have no attributes, and no element within one of its own
 * name. Names of backups need no escapes.
 */
const inXml = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, text]) => text!.replaceAll('&amp;', '&'));
