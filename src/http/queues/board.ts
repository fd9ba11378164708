import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type {
  AppControllerRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { shownEntry } from '../../jobs/scoring-queue.js';
import { queuesPath } from './queue-cookie.js';

/** The media types of bull-board's files. */
const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

/** Most jobs of a page. bull-board allows 300. */
const mostJobsPerPage = 100;

interface BoardOptions {
  /** Path of the board, without a slash at the end. */
  readonly path: string;
  /** True: it shows the queues, and changes nothing. */
  readonly isReadOnly: boolean;
}

/** What bull-board hands to the server that serves it. */
interface BoardParts {
  queues?: BullBoardQueues;
  routes?: readonly AppControllerRoute[];
  uiConfig?: UIConfig;
  answerError?: (error: Error) => ControllerHandlerReturnType;
}

/**
 * Serves bull-board on a Fastify whose hooks let operators alone pass. Its own adapter for Fastify needs packages that
 * ask for Node.js 22, and a page that loads fonts from another host.
 */
export async function serveBoard(
  server: FastifyInstance,
  queues: readonly Queue[],
  { path, isReadOnly }: BoardOptions,
): Promise<void> {
  const parts: BoardParts = {};
  createBullBoard({
    queues: queues.map((queue) => {
      const adapter = new BullMQAdapter(queue, { readOnlyMode: isReadOnly });
      adapter.setFormatter('data', shownEntry);
      return adapter;
    }),
    serverAdapter: collector(parts),
    options: {
      uiConfig: {
        boardTitle: isReadOnly ? 'RiskGraph' : 'RiskGraph, with changes',
        hideDocsLink: true,
        // A listing of all clients of Redis per look.
        showWorkers: false,
        miscLinks: [{ text: 'Sign out', url: `${queuesPath}/sign-out` }],
      },
    },
  });
  const folder = join(dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json')), 'dist');
  const page = await pageOf(folder, path, parts.uiConfig!);
  for (const route of ['/', '/job-schedulers', '/queue/:queueName', '/queue/:queueName/:jobId'])
    server.get(`${path}${route}`, async (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  await serveFiles(server, path, join(folder, 'static'));
  for (const { method, route, handler } of parts.routes!)
    for (const url of [route].flat())
      server.route({
        method: [method].flat().map((name) => name.toUpperCase()) as HTTPMethods[],
        url: `${path}${url}`,
        exposeHeadRoute: false,
        async handler(request, reply) {
          const { status = 200, body } = await Promise.resolve(handler(boardRequest(request, parts))).catch(
            (error: unknown) => parts.answerError!(error as Error),
          );
          return reply.status(status).send(body);
        },
      });
}

/** Takes what bull-board gives. */
function collector(parts: BoardParts): IServerAdapter {
  const adapter: IServerAdapter = {
    setQueues: (queues) => ((parts.queues = queues), adapter),
    setApiRoutes: (routes) => ((parts.routes = routes), adapter),
    setUIConfig: (uiConfig) => ((parts.uiConfig = uiConfig), adapter),
    setErrorHandler: (answerError) => ((parts.answerError = answerError), adapter),
    setViewsPath: () => adapter,
    setStaticPath: () => adapter,
    setEntryRoute: () => adapter,
  };
  return adapter;
}

function boardRequest({ query, params, body }: FastifyRequest, { queues, uiConfig }: BoardParts) {
  const asked = { ...(query as Record<string, string>) };
  if (Number(asked.jobsPerPage) > mostJobsPerPage) asked.jobsPerPage = String(mostJobsPerPage);
  return {
    queues: queues!,
    uiConfig: uiConfig!,
    query: asked,
    params: params as Record<string, string>,
    body: (body ?? {}) as Record<string, unknown>,
    headers: {},
  };
}

/** Makes bull-board's page: with its own address, without fonts of another host and without an inline style sheet. */
async function pageOf(folder: string, path: string, uiConfig: UIConfig): Promise<string> {
  const values: Readonly<Record<string, string>> = {
    basePath: `${path}/`,
    title: uiConfig.boardTitle!,
    favIconDefault: uiConfig.favIcon!.default,
    favIconAlternative: uiConfig.favIcon!.alternative,
    uiConfig: JSON.stringify(uiConfig).replaceAll('<', '\\u003c'),
  };
  return (await readFile(join(folder, 'index.ejs'), 'utf8'))
    .replaceAll(/<link href="https:[^>]*>/g, '')
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<%[=-] (\w+) %>/g, (_all, name: string) => values[name] ?? '');
}

/** Serves files from a list that is made once, so no path reaches another file. */
async function serveFiles(server: FastifyInstance, path: string, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [relative(folder, file), file]),
  );
  server.get(`${path}/static/*`, async (request, reply) => {
    const file = files.get((request.params as { '*': string })['*']);
    if (file === undefined) return reply.callNotFound();
    return reply.type(mediaTypes[extname(file)] ?? 'application/octet-stream').send(await readFile(file));
  });
}
