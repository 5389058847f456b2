/**
 * The spans of one task, as they follow from its records.
 *
 * S1 The same records give the same spans, id by id: what is exported again after a crash is the same span again.
 * S2 A span is there when its end is recorded: an attempt's when it has ended, a task's when it settles.
 * S3 No span says what a person or an agent wrote: no titles, texts, outputs, comments, reasons or errors.
 */
import type { DomainEvent, EventOf, StoredRecord } from '../../contracts/events/events.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { isSampled } from '../../contracts/trace-context.ts';
import { spanIdOf, type TaskTrace } from '../../engine/runtime/task-trace.ts';
import { AttemptStory } from './attempt-story.ts';
import * as name from './semantics.ts';
import { MAX_EVENTS, type Span, type SpanEvent, type SpanLink } from './span.ts';

export type TracedRecord = Pick<StoredRecord, 'sequence' | 'time' | 'event' | 'transitions'>;

/** From its creation, or from a redrive, until the task settles. */
interface Run {
  readonly number: number;
  readonly spanId: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly events: SpanEvent[];
  droppedEvents: number;
}

export interface StoryLinks {
  readonly links: readonly SpanLink[];
  readonly droppedLinks: number;
}

/** What spans say of a task: not the event itself, which may be large. */
interface Told {
  readonly project: string;
  readonly task: string;
  readonly type: string | undefined;
  readonly priority: number;
}

export class TaskStory {
  readonly trace: TaskTrace;
  readonly #task: Told;
  readonly #links: StoryLinks;
  readonly #attempts = new Map<number, AttemptStory>();
  #run: Run;
  #attemptCount = 0;
  #isSettled = false;
  /** Epoch milliseconds since when it could run; null while it cannot. */
  #waitingSince: number | null = null;

  constructor(
    { project, task, spec }: EventOf<'task.created'>,
    record: TracedRecord,
    trace: TaskTrace,
    links: StoryLinks,
  ) {
    this.trace = trace;
    this.#task = { project, task, type: spec.type, priority: spec.priority };
    this.#links = links;
    this.#run = { number: 1, spanId: trace.spanId, start: record.time, events: [], droppedEvents: 0 };
    this.#noteState(record);
  }

  /** Whether it is settled, and no attempt of it is open. */
  get isOver(): boolean {
    return this.#isSettled && this.#attempts.size === 0;
  }

  /** What comes after the creation, in order. @returns the spans that are whole with it (S2) */
  evolve(record: TracedRecord): readonly Span[] {
    const { event, time } = record;
    if (event.type === 'task.redriven') this.#beginRun(time);
    const spans: Span[] = [];
    const ended = this.#ofAttempt(event, time);
    if (ended) spans.push(ended);
    if (this.#noteState(record)) spans.push(this.#span(record));
    // Followed all the same, so that it is known when it is over.
    return isSampled(this.trace) ? spans : [];
  }

  #beginRun(time: number): void {
    const number = this.#run.number + 1;
    const { project, task } = this.#task;
    const spanId = spanIdOf(`${project}/${task} run ${number}`, this.trace.traceId);
    this.#run = { number, spanId, start: time, events: [], droppedEvents: 0 };
  }

  #ofAttempt(event: DomainEvent, time: number): Span | null {
    if (event.type === 'task.claimed') {
      const waitMs = this.#waitingSince === null ? undefined : time - this.#waitingSince;
      this.#attempts.set(event.attempt, new AttemptStory(event, time, this.#run.spanId, waitMs));
      this.#attemptCount++;
      return null;
    }
    if (!('attempt' in event) || event.attempt === null) return null;
    const attempt = this.#attempts.get(event.attempt);
    if (event.type !== 'attempt.ended') {
      attempt?.note(event, time);
      return null;
    }
    this.#attempts.delete(event.attempt);
    return attempt?.span(event, time, this.trace) ?? null;
  }

  /** @returns whether it has settled with this */
  #noteState({ transitions, time }: TracedRecord): boolean {
    const moved = transitions.find(({ entity }) => entity === 'task');
    if (!moved || moved.from === moved.to) return false;
    const to = moved.to as TaskState;
    this.#waitingSince = to === 'pending' ? time : null;
    if (this.#run.events.length < MAX_EVENTS) {
      this.#run.events.push({ name: `${name.TASK_SPAN}.${to}`, time, attributes: {} });
    } else this.#run.droppedEvents++;
    this.#isSettled = SETTLED_STATES.has(to);
    return this.#isSettled && !SETTLED_STATES.has(moved.from as TaskState);
  }

  #span({ transitions, time, event }: TracedRecord): Span {
    const { number, spanId, start, events, droppedEvents } = this.#run;
    const { traceId, flags, state, parentSpanId, spanId: first } = this.trace;
    const to = transitions.find(({ entity }) => entity === 'task')?.to;
    const outcome = event.type === 'attempt.ended' ? event.outcome : to;
    const hasFailed = to === 'failed' || to === 'expired';
    const { project, task, type, priority } = this.#task;
    const context = { traceId, spanId, flags, state };
    const earlier: SpanLink = {
      to: { ...context, spanId: first },
      attributes: { [name.LINK]: 'earlier_run' },
    };
    const { links, droppedLinks } = this.#links;
    return {
      context,
      // What a redrive begins is below what it takes up again.
      parentSpanId: number === 1 ? parentSpanId : first,
      name: name.TASK_SPAN,
      kind: 'internal',
      start,
      end: time,
      attributes: {
        [name.PROJECT]: project,
        [name.TASK]: task,
        [name.TASK_TYPE]: type,
        [name.TASK_PRIORITY]: priority,
        [name.TASK_STATE]: to,
        [name.TASK_RUN]: number,
        [name.TASK_ATTEMPTS]: this.#attemptCount,
        [name.ERROR_TYPE]: hasFailed ? outcome : undefined,
      },
      events,
      droppedEvents,
      links: number === 1 ? links : [earlier],
      droppedLinks: number === 1 ? droppedLinks : 0,
      hasFailed,
    };
  }
}
