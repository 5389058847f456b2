/** Creating tasks over HTTP, committed before the answer, compared with a bare route that validates the same body. */
import { fastify } from 'fastify';
import { createTaskSchema } from '../../src/contracts/api/requests.ts';
import { openBenchEngine, PROJECT } from '../support/engine.ts';
import { atLeast, type Figure, medianBy, shown } from '../support/figure.ts';
import { requestsPerSecond } from '../support/http-load.ts';
import { serveEngine } from '../support/serve.ts';
import { startBenchServer } from '../support/server.ts';

const REQUESTS = 6_000;
const CONNECTIONS = 64;
const ROUNDS = 3;
const PATH = `/api/projects/${PROJECT}/tasks`;
const BODY = JSON.stringify({ title: 'a task of the bench', agent: 'worker', delay_seconds: 86_400 });

export async function http(): Promise<Figure[]> {
  const server = await startBenchServer();
  const bare = fastify();
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, 16);
    const signalbox = await serveEngine(engine);
    // The bare route answers with a body of the same length.
    const example = await (
      await fetch(`${signalbox.url}${PATH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: BODY,
      })
    ).json();
    bare.post(PATH, async (request, reply) => {
      createTaskSchema.parse(request.body);
      return reply.code(201).send(example);
    });
    const bareUrl = await bare.listen({ host: '127.0.0.1', port: 0 });
    const load = { path: PATH, body: BODY, requests: REQUESTS, connections: CONNECTIONS };
    await requestsPerSecond({ ...load, url: signalbox.url, requests: REQUESTS / 4 });
    const rounds: { readonly ours: number; readonly limit: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const limit = await requestsPerSecond({ ...load, url: bareUrl });
      rounds.push({ ours: await requestsPerSecond({ ...load, url: signalbox.url }), limit });
    }
    const { ours, limit } = medianBy(rounds, (round) => round.ours / round.limit);
    await signalbox.close();
    await engine.stop('the bench is over');
    return [
      {
        key: 'http_create_per_s',
        value: ours,
        goal: null,
        note: `${CONNECTIONS} connections, committed before the answer; client in a thread of the same process`,
      },
      {
        key: 'http_create_ratio',
        value: ours / limit,
        goal: atLeast(0.6),
        note: `over a bare fastify route with the same validation (${shown(limit)} requests/s)`,
      },
    ];
  } finally {
    await bare.close();
    await server.stop();
  }
}
