/** The health report of a running Signalbox. */
import { budgetNotices } from '../app/budgets/budgets.ts';
import type { Engine } from '../app/engine/engine.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import type { Containment } from '../contracts/processes/containment.ts';
import { unwritable } from '../journal/failures.ts';
import type { AnswerableRequests } from '../nats/answerable.ts';
import { VERSION } from '../version.ts';
import type { StartedFeatures } from './features.ts';
import type { NatsLink } from './nats-link.ts';
import type { SelfWatch } from './self-watch.ts';

export function healthOf(
  engine: Engine,
  nats: NatsLink,
  { audit: { integrity }, people }: Pick<StartedFeatures, 'audit' | 'people'>,
  answerable: AnswerableRequests,
  watch: SelfWatch,
  containment: Containment,
): HealthReport {
  const log = engine.journalState;
  const reason = reasonOf(engine) ?? watch.obstacle;
  return {
    ready: reason === null,
    reason,
    version: VERSION,
    pid: process.pid,
    uptime_seconds: Math.round(process.uptime()),
    log: {
      state: log.kind,
      sequence: engine.projections.sequence,
      backlog: engine.backlog,
      durability: nats.durability,
      integrity,
    },
    nats: {
      url: nats.url,
      version: nats.version,
      embedded: nats.embedded !== null,
      pid: nats.embedded?.pid ?? null,
      restarts: nats.embedded?.restarts ?? 0,
      refused_requests: answerable.refused,
    },
    access: people.report(),
    containment,
    budgets: budgetNotices(engine.projections.budgets).map(({ id, status, until }) => ({
      id,
      status,
      until,
    })),
    unfinished_tasks: engine.host.unfinishedTasks,
    open_attempts: engine.host.count('attempt'),
  };
}

/** Why no new work is accepted; null if it is. */
function reasonOf(engine: Engine): string | null {
  const log = engine.journalState;
  switch (log.kind) {
    case 'fenced':
      return log.error.message;
    case 'reader':
      return 'the event log is not open';
    case 'resyncing':
      return unwritable(log.reason);
    case 'open':
      return engine.isDraining ? 'Signalbox is shutting down' : null;
  }
}
