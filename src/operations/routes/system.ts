/** Signalbox itself: whether it is well, and its figures. */
import { type HealthReport, healthReportSchema } from '../../contracts/api/answers.ts';
import type { Metrics } from '../../http/metrics.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';

export function serveSystem(serve: Serve, health: () => HealthReport): void {
  // Alive is who answers: a process that is restarted because its log is out of reach gains nothing by it.
  serve({
    name: 'readHealth',
    group: 'System',
    summary: 'Whether it is alive, and how it is',
    access: 'public',
    method: 'GET',
    path: '/health',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(healthReportSchema, 'It is alive.') },
    handle: async () => ({ status: 200, body: health() }),
  });
  serve({
    name: 'readReadiness',
    group: 'System',
    summary: 'Whether it takes new work',
    access: 'public',
    method: 'GET',
    path: '/ready',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: {
      200: json(healthReportSchema, 'It does.'),
      503: json(healthReportSchema, 'It does not; "reason" says why.'),
    },
    handle: async () => {
      const report = health();
      return { status: report.ready ? 200 : 503, body: report };
    },
  });
}

export function serveMetrics(serve: Serve, metrics: Metrics): void {
  serve({
    name: 'readMetrics',
    group: 'System',
    summary: 'Figures for Prometheus',
    access: 'read',
    method: 'GET',
    path: '/metrics',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: { description: 'The figures.', mediaType: metrics.contentType } },
    handle: async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: Buffer.from(await metrics.text()),
    }),
  });
}
