import type { Engine } from '../engine.ts';
import type { NatsLink } from './nats-link.ts';

/** What `/health`, `/ready` and `doctor` show. */
export interface HealthReport {
  /** Whether new work is taken. */
  readonly ready: boolean;
  readonly status: 'ready' | 'draining' | 'log_unavailable' | 'fenced';
  readonly version: string;
  readonly pid: number;
  readonly uptime_seconds: number;
  readonly log: {
    readonly state: string;
    /** Sequence of the newest event that is visible. */
    readonly sequence: number;
    /** Events decided and not stored yet. */
    readonly backlog: number;
  };
  readonly nats: {
    readonly url: string;
    readonly version: string;
    readonly embedded: boolean;
    readonly pid: number | null;
    readonly restarts: number;
  };
  readonly tasks: { readonly live: number; readonly open_attempts: number };
}

export function healthOf(engine: Engine, nats: NatsLink, version: string): HealthReport {
  const log = engine.journalState;
  return {
    ready: log.kind === 'open' && !engine.isDraining,
    status: statusOf(log.kind, engine.isDraining),
    version,
    pid: process.pid,
    uptime_seconds: Math.round(process.uptime()),
    log: { state: log.kind, sequence: engine.projections.sequence, backlog: engine.backlog },
    nats: {
      url: nats.url,
      version: nats.version,
      embedded: nats.embedded !== null,
      pid: nats.embedded?.pid ?? null,
      restarts: nats.embedded?.restarts ?? 0,
    },
    tasks: { live: engine.host.count('task'), open_attempts: engine.host.count('attempt') },
  };
}

function statusOf(log: string, draining: boolean): HealthReport['status'] {
  if (log === 'fenced') return 'fenced';
  if (draining) return 'draining';
  return log === 'open' ? 'ready' : 'log_unavailable';
}
