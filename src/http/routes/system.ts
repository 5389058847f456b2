/** Signalbox itself: whether it is well. */
import type { HealthReport } from '../../contracts/answers.ts';
import { nothing, nowhere, type Serve } from '../operation.ts';

export function serveSystem(serve: Serve, health: () => HealthReport): void {
  // Alive is who answers: a process that is restarted because its log is out of reach gains nothing by it.
  serve({
    method: 'GET',
    path: '/health',
    address: nowhere,
    query: nothing,
    body: nothing,
    handle: async () => ({ status: 200, body: health() }),
  });
  serve({
    method: 'GET',
    path: '/ready',
    address: nowhere,
    query: nothing,
    body: nothing,
    handle: async () => {
      const report = health();
      return { status: report.ready ? 200 : 503, body: report };
    },
  });
}
