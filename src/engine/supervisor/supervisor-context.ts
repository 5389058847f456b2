/** What the parts of the supervisor share. */
import type { Logger } from 'pino';
import type { Projections } from '../../../projections/index.ts';
import type { Environment } from '../../base/environment.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';
import type { AgentRoster } from './agent-roster.ts';

export interface SupervisorContext {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly roster: AgentRoster;
  readonly environment: Environment;
  readonly logger: Logger;
  readonly timers: TimerQueue;
  /**
   * Decides an event as the supervisor. A refusal usually means that the state has moved on meanwhile; it is logged.
   * @param cause the message of an agent that caused it
   * @returns the refusal; null if the event was decided
   */
  readonly decide: (event: DomainEvent, actor?: string, cause?: string) => SignalboxError | null;
  /** What the function decides of one task is stored together. */
  readonly together: <Result>(decideAll: () => Result) => Result;
}
