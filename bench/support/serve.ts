/** An HTTP server for the engine under test. */
import { pino } from 'pino';
import type { Engine } from '../../src/app/engine/engine.ts';
import { EventFeed } from '../../src/app/events/event-feed.ts';
import type { HealthReport } from '../../src/contracts/api/system-answers.ts';
import { type HttpServer, startHttpServer } from '../../src/http/server.ts';

export async function serveEngine(engine: Engine): Promise<HttpServer> {
  const feed = new EventFeed(engine.app);
  const server = await startHttpServer({
    app: engine.app,
    feed,
    logger: pino({ level: 'warn' }),
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1_000_000,
    version: 'bench',
    health: () => ({}) as HealthReport,
  });
  return {
    ...server,
    close: async () => {
      await server.close();
      feed.close();
    },
  };
}
