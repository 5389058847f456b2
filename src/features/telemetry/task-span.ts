/**
 * Builds the spans of one task from its records. The same records give the same spans with the same ids, so that a span
 * that is exported again after a crash is recognised. Spans contain nothing that a person or an agent wrote: no titles,
 * texts, outputs, comments, reasons or errors.
 */

import { isSampled } from '../../base/trace-context.ts';
import type { DomainEvent, EventOf, StoredRecord } from '../../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { spanIdOf, type TaskTrace } from '../../engine/runtime/task-trace.ts';
import { AttemptSpanBuilder } from './attempt-span.ts';
import { type Span, SpanEvents, type SpanLink } from './span.ts';

export type TracedRecord = Pick<StoredRecord, 'sequence' | 'id' | 'time' | 'event' | 'transitions'>;

/** A run lasts from the creation or a redrive until the task settles; each is one span. */
interface Run {
  readonly number: number;
  readonly spanId: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly events: SpanEvents;
}

export type TaskLinks = Pick<Span, 'links' | 'droppedLinks'>;

/** Whether the record settles a task that was not settled. */
export function isSettlement({ transitions }: Pick<TracedRecord, 'transitions'>): boolean {
  const moved = transitions.find(({ entity }) => entity === 'task');
  if (!moved || moved.from === moved.to || !SETTLED_STATES.has(moved.to)) return false;
  return !SETTLED_STATES.has(moved.from ?? '');
}

export class TaskSpanBuilder {
  readonly trace: TaskTrace;
  /** Not the whole event, which may be large. */
  readonly #task: TaskRef & { readonly type: string | undefined; readonly priority: number };
  readonly #links: TaskLinks;
  readonly #attempts = new Map<number, AttemptSpanBuilder>();
  #run: Run;
  #attemptCount = 0;
  #isSettled = false;
  /** Epoch milliseconds since when the task is pending; null if it is not. */
  #pendingSince: number | null = null;

  /** @param record the creation of the task */
  constructor(event: EventOf<'task.created'>, record: TracedRecord, trace: TaskTrace, links: TaskLinks) {
    const { project, task, spec } = event;
    this.trace = trace;
    this.#task = { project, task, type: spec.type, priority: spec.priority };
    this.#links = links;
    this.#run = { number: 1, spanId: trace.spanId, start: record.time, events: new SpanEvents() };
    this.#noteState(record);
  }

  /** Whether the task is settled and has no open attempt. */
  get isOver(): boolean {
    return this.#isSettled && this.#attempts.size === 0;
  }

  /** Takes the records after the creation, in order. @returns the spans that end with the record */
  add(record: TracedRecord): readonly Span[] {
    const { event, time } = record;
    if (event.type === 'task.redriven') this.#beginRun(time);
    const spans: Span[] = [];
    const ended = this.#addToAttempt(event, time);
    if (ended) spans.push(ended);
    this.#noteState(record);
    if (isSettlement(record)) spans.push(this.#build(record));
    return isSampled(this.trace) ? spans : [];
  }

  #beginRun(time: number): void {
    const number = this.#run.number + 1;
    const spanId = spanIdOf(`${taskKey(this.#task)} run ${number}`, this.trace.traceId);
    this.#run = { number, spanId, start: time, events: new SpanEvents() };
  }

  #addToAttempt(event: DomainEvent, time: number): Span | null {
    if (event.type === 'task.claimed') {
      const waitMs = this.#pendingSince === null ? undefined : time - this.#pendingSince;
      const attempt = new AttemptSpanBuilder(event.agent, time, this.#run.spanId, waitMs);
      this.#attempts.set(event.attempt, attempt);
      this.#attemptCount++;
      return null;
    }
    if (!('attempt' in event) || event.attempt === null) return null;
    const attempt = this.#attempts.get(event.attempt);
    if (event.type !== 'attempt.ended') {
      attempt?.add(event, time);
      return null;
    }
    this.#attempts.delete(event.attempt);
    return attempt?.build(event, time, this.trace) ?? null;
  }

  #noteState({ transitions, time }: TracedRecord): void {
    const moved = transitions.find(({ entity }) => entity === 'task');
    if (!moved || moved.from === moved.to) return;
    this.#pendingSince = moved.to === 'pending' ? time : null;
    this.#run.events.add(`signalbox.task.${moved.to}`, time);
    this.#isSettled = SETTLED_STATES.has(moved.to);
  }

  #build({ transitions, time, event }: TracedRecord): Span {
    const { number, spanId, start, events } = this.#run;
    const { traceId, flags, state, parentSpanId, spanId: firstSpanId } = this.trace;
    const to = transitions.find(({ entity }) => entity === 'task')?.to;
    const outcome = event.type === 'attempt.ended' ? event.outcome : to;
    const hasFailed = to === 'failed' || to === 'expired';
    const { project, task, type, priority } = this.#task;
    const context = { traceId, spanId, flags, state };
    const earlierRun: SpanLink = {
      to: { ...context, spanId: firstSpanId },
      attributes: { 'signalbox.link': 'earlier_run' },
    };
    return {
      context,
      // The span of a redrive is below the span of the first run.
      parentSpanId: number === 1 ? parentSpanId : firstSpanId,
      // Without the id of the task: names of spans are low in cardinality.
      name: 'signalbox.task',
      kind: 'internal',
      start,
      end: time,
      attributes: {
        'signalbox.project': project,
        'signalbox.task.id': task,
        'signalbox.task.type': type,
        'signalbox.task.priority': priority,
        'signalbox.task.state': to,
        // 1 after the creation, one more after each redrive.
        'signalbox.task.run': number,
        'signalbox.task.attempts': this.#attemptCount,
        'error.type': hasFailed ? outcome : undefined,
      },
      events: events.events,
      droppedEvents: events.droppedEvents,
      ...(number === 1 ? this.#links : { links: [earlierRun], droppedLinks: 0 }),
      hasFailed,
    };
  }
}
