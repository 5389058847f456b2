/**
 * Builds the span of one attempt: `invoke_agent`, from the claim to the end. The GenAI conventions of OpenTelemetry, which
 * are not stable yet, are used in this file only.
 */

import { costSourceOf } from '../../contracts/cost-source.ts';
import type { DomainEvent, EventOf, EventType } from '../../contracts/events/events.ts';
import { attemptKey } from '../../contracts/ids.ts';
import type { AttemptOutcome } from '../../contracts/tasks.ts';
import { attemptTrace, type TaskTrace } from '../../engine/runtime/task-trace.ts';
import { type Attributes, type Span, SpanEvents } from './span.ts';

/** All other outcomes are errors. */
const NO_ERROR: ReadonlySet<AttemptOutcome> = new Set(['completed', 'cancelled', 'parked']);

/** Events of the span that have no attributes. */
const PLAIN_EVENTS: ReadonlySet<EventType> = new Set([
  'attempt.suspected',
  'attempt.recovered',
  'attempt.wait_ended',
  'attempt.wait_resumed',
]);

const PROVIDERS = new Map([
  ['claude', 'anthropic'],
  ['codex', 'openai'],
  ['gemini', 'gcp.gemini'],
]);

/** The provider of the models of a driver; the driver itself if it is not known, as the conventions allow. */
function providerOf(driver: string | undefined): string {
  return driver === undefined ? 'unknown' : (PROVIDERS.get(driver) ?? driver);
}

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
      this.#events.add(spanEvent, time, { 'signalbox.attempt.stop_reason': event.reason });
    } else if (event.type === 'attempt.question_asked') {
      const { question, spec } = event;
      this.#events.add(spanEvent, time, {
        'signalbox.question.id': question,
        'signalbox.question.kind': spec.kind,
      });
    } else if (event.type === 'attempt.question_answered') {
      const { question, action } = event;
      this.#events.add(spanEvent, time, {
        'signalbox.question.id': question,
        'signalbox.question.action': action,
      });
    } else if (PLAIN_EVENTS.has(event.type)) {
      this.#events.add(spanEvent, time);
    }
  }

  build(event: EventOf<'attempt.ended'>, time: number, trace: TaskTrace): Span {
    return {
      context: attemptTrace(trace, attemptKey(event)),
      parentSpanId: this.#parentSpanId,
      name: `invoke_agent ${this.#agent}`,
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
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.provider.name': providerOf(driver),
      'gen_ai.agent.id': this.#agent,
      'gen_ai.agent.name': this.#agent,
      // An empty session at the end means that it cannot be continued; the attempt still ran in it.
      'gen_ai.conversation.id': end.session || session,
      'gen_ai.request.model': usage?.model,
      'gen_ai.usage.input_tokens': usage?.input_tokens,
      'gen_ai.usage.output_tokens': usage?.output_tokens,
      'gen_ai.usage.cache_read.input_tokens': usage?.cache_read_tokens,
      'gen_ai.usage.cache_creation.input_tokens': usage?.cache_write_tokens,
      'signalbox.usage.cost_usd': usage?.cost_usd,
      'signalbox.usage.cost_source': usage && costSourceOf(usage),
      'error.type': NO_ERROR.has(outcome) ? undefined : outcome,
      'signalbox.project': project,
      'signalbox.task.id': task,
      'signalbox.attempt': attempt,
      'signalbox.attempt.outcome': outcome,
      'signalbox.attempt.stop_reason': this.#stopReason,
      'signalbox.attempt.wait_ms': this.#waitMs,
      'signalbox.driver': driver,
      'host.name': host,
      'process.pid': pid,
      'process.exit.code': end.exit_code,
      'signalbox.process.cpu_ms': end.cpu_ms,
      'signalbox.process.peak_memory_bytes': end.peak_memory_bytes,
    };
  }
}
