/** Answers 405 for a known path with another method, and names the methods that it has. */
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { SignalboxError } from '../contracts/errors.ts';

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/** To be called before the first route is added. @returns a function to be called after the last one */
export function watchMethods(http: FastifyInstance): () => void {
  const known = new Map<string, Set<HTTPMethods>>();
  http.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set();
    known.set(url, methods);
    for (const each of [method].flat()) methods.add(each as HTTPMethods);
  });
  return () => {
    for (const [url, methods] of [...known]) refuseOthers(http, url, methods);
  };
}

function refuseOthers(http: FastifyInstance, url: string, methods: ReadonlySet<HTTPMethods>): void {
  const allow = [...methods].sort();
  http.route({
    method: METHODS.filter((method) => !methods.has(method)),
    url,
    exposeHeadRoute: false,
    // Before the body is read.
    onRequest: async (request, reply) => {
      reply.header('allow', allow.join(', '));
      throw new SignalboxError(
        'method_not_allowed',
        `${request.method} is not allowed here, only ${allow.join(', ')}`,
        { details: { allow } },
      );
    },
    handler: () => {},
  });
}
