/**
 * Metrics for Prometheus. Gauges are read from the state on demand; events are counted as they happen. Labels have few
 * values: never an id of a task or a project.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AppContext } from '../app/context.ts';
import { type QueueView, queuesOf } from '../app/overview/queues.ts';
import { countOpenQuestions, waitedMs } from '../app/questions/question-figures.ts';
import { queueParts } from '../contracts/api/queue-name.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import { ATTEMPT_OUTCOMES, TASK_STATES } from '../contracts/tasks.ts';
import { addUsageMetrics } from './usage-metrics.ts';

const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HTTP_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const WAITING_BUCKETS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800];
const LOOP_RESOLUTION_MS = 10;
/** Not `quantile`, which only a summary may have. */
const PERCENTILES = [50, 90, 99] as const;

export interface MetricsSources {
  readonly app: AppContext;
  readonly health: () => HealthReport;
  /** Clients that follow the events. */
  readonly followers: () => number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #http: Histogram<'operation' | 'status'>;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #stop: () => void;

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    this.#http = new Histogram({
      name: 'signalbox_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['operation', 'status'],
      buckets: HTTP_BUCKETS,
      registers,
    });
    this.#addState(sources);
    addUsageMetrics(this.#registry, sources.app.state.projections);
    this.#addLog(sources);
    this.#addLoop();
    this.#stop = this.#countEvents(sources.app);
    this.#loop.enable();
  }

  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @param operation its name; absent for other requests */
  observe(operation: string | undefined, status: number, seconds: number): void {
    this.#http.observe({ operation: operation ?? 'none', status }, seconds);
  }

  close(): void {
    this.#stop();
    this.#loop.disable();
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `signalbox_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  #queueGauge(app: AppContext, name: string, help: string, read: (queue: QueueView) => number): void {
    new Gauge({
      name: `signalbox_queue_${name}`,
      help,
      labelNames: ['kind', 'name'],
      registers: [this.#registry],
      collect() {
        // Queues of types come and go.
        this.reset();
        for (const queue of queuesOf(app)) this.set({ ...queueParts(queue.key) }, read(queue));
      },
    });
  }

  #addState({ app, followers }: MetricsSources): void {
    const registers = [this.#registry];
    const { projections, host } = app.state;
    new Gauge({
      name: 'signalbox_tasks',
      help: 'Tasks in each state.',
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of TASK_STATES) this.set({ state }, projections.blackboard.counts[state]);
      },
    });
    this.#queueGauge(app, 'depth', 'Pending tasks of each agent and type.', ({ pending }) => pending);
    this.#queueGauge(
      app,
      'oldest_age_seconds',
      'Age of the oldest pending task of each agent and type; 0 if none is pending.',
      ({ oldestPendingAt: at }) => (at === null ? 0 : (app.environment.clock.now() - at) / 1_000),
    );
    this.#gauge('open_attempts', 'Attempts that are open.', () => host.count('attempt'));
    this.#gauge('questions_open', 'Questions of agents that are not answered.', () =>
      countOpenQuestions(app),
    );
    this.#gauge('sse_clients', 'Clients that follow the events.', followers);
  }

  #addLog({ health }: MetricsSources): void {
    this.#gauge('log_sequence', 'Last event that is in the log and visible.', () => health().log.sequence);
    this.#gauge('log_backlog', 'Decided events that are not in the log yet.', () => health().log.backlog);
    const integrity = (): HealthReport['log']['integrity'] => health().log.integrity;
    this.#gauge('log_damaged', '1 if the log is known to be damaged.', () =>
      Number(integrity().state === 'damaged'),
    );
    this.#gauge(
      'log_verified_sequence',
      'The event that the verification in the background has come to.',
      () => integrity().verified,
    );
    this.#gauge('ready', '1 if new work is accepted.', () => Number(health().ready));
    this.#gauge(
      'nats_refused_requests',
      'Requests over NATS without an answer, because their reply subject is not an inbox.',
      () => health().nats.refused_requests,
    );
    this.#gauge('nats_restarts', 'Restarts of the embedded NATS server.', () => health().nats.restarts);
  }

  #addLoop(): void {
    const loop = this.#loop;
    new Gauge({
      name: 'signalbox_event_loop_delay_seconds',
      help: 'How late timers are, since the metrics were read last.',
      labelNames: ['percentile'],
      registers: [this.#registry],
      collect() {
        for (const percentile of PERCENTILES) this.set({ percentile }, loop.percentile(percentile) / 1e9);
        loop.reset();
      },
    });
  }

  #countEvents(app: AppContext): () => void {
    const { log, environment } = app;
    const registers = [this.#registry];
    const commits = new Histogram({
      name: 'signalbox_commit_duration_seconds',
      help: 'Time from a decision to its acknowledgement by the log.',
      buckets: COMMIT_BUCKETS,
      registers,
    });
    const waiting = new Histogram({
      name: 'signalbox_question_waiting_seconds',
      help: 'Time from a question of an agent to its answer.',
      buckets: WAITING_BUCKETS,
      registers,
    });
    const attempts = new Counter({
      name: 'signalbox_attempts_total',
      help: 'Attempts that ended since the start of Signalbox, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of ATTEMPT_OUTCOMES) attempts.inc({ outcome }, 0);
    return log.onRecord(({ event, time }) => {
      commits.observe(Math.max(environment.clock.now() - time, 0) / 1_000);
      if (event.type === 'attempt.question_answered') {
        const ms = waitedMs(app, event, time);
        if (ms !== null) waiting.observe(ms / 1_000);
      }
      if (event.type === 'attempt.ended') attempts.inc({ outcome: event.outcome });
    });
  }
}
