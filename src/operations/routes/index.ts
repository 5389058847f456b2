/** All operations, declared once: for HTTP, and for whoever else offers them. */
import type { AppContext } from '../../app/context.ts';
import type { TaskNews } from '../../app/events/task-news.ts';
import type { HealthReport } from '../../contracts/api/answers.ts';
import type { Background } from '../../features/background/background.ts';
import type { Metrics } from '../../http/metrics.ts';
import type { Serve } from '../operation.ts';
import { serveAgentWords } from './agent-words.ts';
import { serveAgents } from './agents.ts';
import { serveAttempts } from './attempts.ts';
import { serveAudit } from './audit.ts';
import { type AuditDesk, serveAuditStatus } from './audit-status.ts';
import { serveBackground } from './background.ts';
import { serveBoard } from './board.ts';
import { serveCaller } from './caller.ts';
import { serveDeadLetters } from './dead-letters.ts';
import { serveDecisions } from './decisions.ts';
import { type EventRoutes, serveEvents } from './events.ts';
import { serveJobs } from './jobs.ts';
import { serveMachines } from './machines.ts';
import { serveQueues } from './queues.ts';
import { type ListRejected, serveRejectedMessages } from './rejected-messages.ts';
import { serveState } from './state.ts';
import { serveMetrics, serveSystem } from './system.ts';
import { serveTasks } from './tasks.ts';
import { serveThroughput } from './throughput.ts';
import { serveWebhooks, type WebhookDesk } from './webhooks.ts';

export interface Served {
  readonly app: AppContext;
  readonly news: TaskNews;
  readonly health: () => HealthReport;
  /** Messages of agents that were refused; none where agents are not heard over NATS. */
  readonly rejected?: ListRejected | undefined;
  /** None where it is absent. */
  readonly webhooks?: WebhookDesk | undefined;
  /** Background commands; no operations for them where it is absent. */
  readonly background?: Background | undefined;
  /** What is proved of the log; no operations for it where it is absent. */
  readonly audit?: AuditDesk | undefined;
  /** What only HTTP can carry: answers without end, and the figures that Prometheus fetches. */
  readonly http?: { readonly events: EventRoutes; readonly metrics: Metrics };
}

export function serveOperations(serve: Serve, served: Served): void {
  const { app, news, health, rejected = async () => [], webhooks, background, audit, http } = served;
  serveJobs(serve, app, news);
  serveTasks(serve, app, news);
  serveDecisions(serve, app);
  serveAgentWords(serve, app);
  serveAttempts(serve, app);
  serveAgents(serve, app);
  serveRejectedMessages(serve, rejected);
  serveDeadLetters(serve, app);
  serveAudit(serve, app);
  if (audit) serveAuditStatus(serve, audit);
  serveCaller(serve);
  serveState(serve, app);
  serveMachines(serve);
  serveQueues(serve, app);
  serveThroughput(serve, app);
  if (http) {
    serveEvents(serve, app, http.events);
    serveBoard(serve, app, http.events);
  }
  if (webhooks) serveWebhooks(serve, webhooks);
  if (background) serveBackground(serve, background, news);
  serveSystem(serve, health);
  if (http) serveMetrics(serve, http.metrics);
}
