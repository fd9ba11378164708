import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance, onSendHookHandler } from 'fastify';

/**
 * Headers that no form and no link of another site can send: a browser first asks whether it may. A request without a
 * JSON body needs one of them. `authorization` is enough, because no cookie is read but on the page of the queues.
 */
export const preflightHeaders = ['authorization', 'apollo-require-preflight', 'x-apollo-operation-name'] as const;

/** Demands TLS for one year, also for the host's subdomains (RFC 6797). */
const strictTransport = 'max-age=31536000; includeSubDomains';

/**
 * Adds headers that tell browsers what not to do with our answers, and which pages may read them.
 * @param corsOrigins origins whose pages may call the API. Empty: only pages of our own host. `*`: all pages
 */
export async function registerSecurityHeaders(server: FastifyInstance, corsOrigins: readonly string[]): Promise<void> {
  await server.register(helmet, {
    // An answer in JSON loads nothing, and no page may frame it. The Sandbox has its own policy.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    frameguard: { action: 'deny' },
    // The hook below sets this header when the request came over TLS.
    hsts: false,
    // These headers serve pages only, or browsers that no longer exist.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (request.protocol === 'https') reply.header('strict-transport-security', strictTransport);
    done();
  });
  if (corsOrigins.length > 0) {
    await server.register(cors, {
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      methods: ['GET', 'POST'],
      exposedHeaders: ['retry-after'],
      maxAge: 600,
    });
  }
}

/**
 * Adds the policy of the Sandbox page. It allows what Apollo's page loads from Apollo's servers, the one inline script
 * by its nonce, and connections to this host. The page also has its own policy in a meta element; browsers enforce
 * both.
 * @param watch address of the script that offers GraphiQL where Apollo's servers are not reached
 */
export const sandboxPolicy =
  (watch: string | undefined): onSendHookHandler<unknown> =>
  (request, reply, payload, done) => {
    if (typeof payload !== 'string' || !String(reply.getHeader('content-type')).startsWith('text/html'))
      return done(null, payload);
    const nonce = /<script nonce="([\w-]+)"/.exec(payload)?.[1] ?? 'none';
    const cdn = 'https://embeddable-sandbox.cdn.apollographql.com';
    const landingPage = 'https://apollo-server-landing-page.cdn.apollographql.com';
    const directives = [
      "default-src 'none'",
      `script-src 'nonce-${nonce}' ${cdn}`,
      `style-src 'nonce-${nonce}' ${cdn} https://fonts.googleapis.com`,
      'font-src https://fonts.gstatic.com',
      `img-src ${landingPage} https://embeddable-explorer.cdn.apollographql.com`,
      `manifest-src ${landingPage}`,
      'frame-src https://sandbox.embed.apollographql.com',
      // In some browsers 'self' does not include WebSockets.
      `connect-src 'self' ws://${request.host} wss://${request.host}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ];
    reply.header('content-security-policy', directives.join('; '));
    if (!watch) return done(null, payload);
    // Asynchronous, so that it runs while the page still waits for Apollo's script.
    const script = `<script nonce="${nonce}" type="module" async src="${watch}"></script>`;
    done(null, payload.replace('</head>', `${script}\n  </head>`));
  };
