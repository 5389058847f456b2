/** A path that is there, asked with a method that it has not: 405 with the methods that it has. */
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { SignalboxError } from '../contracts/errors.ts';

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/** To be called before the first route is added; the answer, after the last. */
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
    // Before a body is read: it does not matter here.
    onRequest: async (request, reply) => {
      reply.header('allow', allow.join(', '));
      throw new SignalboxError(
        'method_not_allowed',
        `${request.method} is not possible here, only ${allow.join(', ')}`,
        { details: { allow } },
      );
    },
    handler: () => {},
  });
}
