/** Builds the span of one attempt: `invoke_agent`, from the claim to the end. */
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import { attemptKey } from '../../contracts/ids.ts';
import type { AttemptOutcome } from '../../contracts/tasks.ts';
import { attemptTrace, type TaskTrace } from '../../engine/runtime/task-trace.ts';
import * as name from './semantics.ts';
import { type Attributes, type Span, SpanEvents } from './span.ts';

/** All other outcomes are errors. */
const NO_ERROR: ReadonlySet<AttemptOutcome> = new Set(['completed', 'cancelled']);

export class AttemptSpanBuilder {
  readonly #agent: string;
  readonly #claimedAt: number;
  readonly #parentSpanId: string;
  readonly #waitMs: number | undefined;
  readonly #events = new SpanEvents();
  #started: Partial<EventOf<'attempt.started'>> = {};
  #stopReason: string | undefined;

  /**
   * @param claimedAt epoch milliseconds
   * @param parentSpanId of the run of the task
   * @param waitMs how long the task has waited for an agent
   */
  constructor(agent: string, claimedAt: number, parentSpanId: string, waitMs: number | undefined) {
    this.#agent = agent;
    this.#claimedAt = claimedAt;
    this.#parentSpanId = parentSpanId;
    this.#waitMs = waitMs;
  }

  /** Takes the events between the claim and the end. Reports of the agent are events of the span of the task. */
  add(event: DomainEvent, time: number): void {
    const spanEvent = `signalbox.${event.type}`;
    if (event.type === 'attempt.started') {
      this.#started = event;
      this.#events.add(spanEvent, time);
    } else if (event.type === 'attempt.stop_requested') {
      this.#stopReason = event.reason;
      this.#events.add(spanEvent, time, { [name.STOP_REASON]: event.reason });
    } else if (event.type === 'attempt.suspected' || event.type === 'attempt.recovered') {
      this.#events.add(spanEvent, time);
    }
  }

  build(event: EventOf<'attempt.ended'>, time: number, trace: TaskTrace): Span {
    return {
      context: attemptTrace(trace, attemptKey(event)),
      parentSpanId: this.#parentSpanId,
      name: `${name.INVOKE_AGENT} ${this.#agent}`,
      // The agent is another program, which may export spans of its own.
      kind: 'client',
      start: this.#claimedAt,
      end: time,
      attributes: this.#attributes(event),
      events: this.#events.events,
      droppedEvents: this.#events.droppedEvents,
      links: [],
      droppedLinks: 0,
      hasFailed: !NO_ERROR.has(event.outcome),
    };
  }

  #attributes({ project, task, attempt, outcome, usage, ...end }: EventOf<'attempt.ended'>): Attributes {
    const { driver, host, pid, session } = this.#started;
    return {
      [name.OPERATION]: name.INVOKE_AGENT,
      [name.PROVIDER]: name.providerOf(driver),
      [name.AGENT_ID]: this.#agent,
      [name.AGENT_NAME]: this.#agent,
      // An empty session at the end means that it cannot be continued: the attempt was in it all the same.
      [name.CONVERSATION]: end.session || session,
      [name.INPUT_TOKENS]: usage?.input_tokens,
      [name.OUTPUT_TOKENS]: usage?.output_tokens,
      [name.COST]: usage?.cost_usd,
      [name.ERROR_TYPE]: NO_ERROR.has(outcome) ? undefined : outcome,
      [name.PROJECT]: project,
      [name.TASK]: task,
      [name.ATTEMPT]: attempt,
      [name.OUTCOME]: outcome,
      [name.STOP_REASON]: this.#stopReason,
      [name.WAIT_MS]: this.#waitMs,
      [name.DRIVER]: driver,
      [name.HOST]: host,
      [name.PID]: pid,
      [name.EXIT_CODE]: end.exit_code,
      [name.CPU_MS]: end.cpu_ms,
      [name.PEAK_MEMORY]: end.peak_memory_bytes,
    };
  }
}
