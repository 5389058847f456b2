/** The span of one attempt: `invoke_agent`, from the claim to its end. */
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import type { AttemptOutcome } from '../../contracts/tasks.ts';
import { attemptTrace, type TaskTrace } from '../../engine/runtime/task-trace.ts';
import * as name from './semantics.ts';
import { type Attributes, MAX_EVENTS, type Span, type SpanEvent } from './span.ts';

/** Whatever else an attempt comes to is an error. */
const NO_ERROR: ReadonlySet<AttemptOutcome> = new Set(['completed', 'cancelled']);

export class AttemptStory {
  readonly #claimedAt: number;
  readonly #agent: string;
  readonly #parentSpanId: string;
  readonly #waitMs: number | undefined;
  readonly #events: SpanEvent[] = [];
  #droppedEvents = 0;
  #driver: string | undefined;
  #host: string | undefined;
  #pid: number | undefined;
  #session: string | undefined;
  #stopReason: string | undefined;

  /** @param parentSpanId of the run of the task. @param waitMs that the task has waited for an agent */
  constructor(
    { agent }: EventOf<'task.claimed'>,
    claimedAt: number,
    parentSpanId: string,
    waitMs: number | undefined,
  ) {
    this.#agent = agent;
    this.#claimedAt = claimedAt;
    this.#parentSpanId = parentSpanId;
    this.#waitMs = waitMs;
  }

  /** What happens between the claim and the end. */
  note(event: DomainEvent, time: number): void {
    switch (event.type) {
      case 'attempt.started':
        this.#driver = event.driver;
        this.#host = event.host;
        this.#pid = event.pid;
        this.#session = event.session;
        return this.#add(event.type, time);
      case 'attempt.stop_requested':
        this.#stopReason = event.reason;
        return this.#add(event.type, time, { [name.STOP_REASON]: event.reason });
      case 'attempt.suspected':
      case 'attempt.recovered':
        return this.#add(event.type, time);
      default:
        // What the agent says of its task shows in the states of the task.
        return;
    }
  }

  span(event: EventOf<'attempt.ended'>, time: number, trace: TaskTrace): Span {
    const { project, task, attempt } = event;
    return {
      context: attemptTrace(trace, `${project}/${task}/${attempt}`),
      parentSpanId: this.#parentSpanId,
      name: `${name.INVOKE_AGENT} ${this.#agent}`,
      // The agent is another program, and traces itself if it does.
      kind: 'client',
      start: this.#claimedAt,
      end: time,
      attributes: this.#attributes(event),
      events: this.#events,
      droppedEvents: this.#droppedEvents,
      links: [],
      droppedLinks: 0,
      hasFailed: !NO_ERROR.has(event.outcome),
    };
  }

  #attributes({ project, task, attempt, outcome, usage, ...end }: EventOf<'attempt.ended'>): Attributes {
    // Empty is a session of no use any more: it was in it all the same.
    const session = end.session || this.#session;
    return {
      [name.OPERATION]: name.INVOKE_AGENT,
      [name.PROVIDER]: name.providerOf(this.#driver),
      [name.AGENT_ID]: this.#agent,
      [name.AGENT_NAME]: this.#agent,
      [name.CONVERSATION]: session,
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
      [name.DRIVER]: this.#driver,
      [name.HOST]: this.#host,
      [name.PID]: this.#pid,
      [name.EXIT_CODE]: end.exit_code,
      [name.CPU_MS]: end.cpu_ms,
      [name.PEAK_MEMORY]: end.peak_memory_bytes,
    };
  }

  #add(type: string, time: number, attributes: Attributes = {}): void {
    if (this.#events.length === MAX_EVENTS) this.#droppedEvents++;
    else this.#events.push({ name: `signalbox.${type}`, time, attributes });
  }
}
