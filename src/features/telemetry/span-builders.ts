/**
 * The span builders of all tasks. The most recently used ones are in memory; others are rebuilt from the log when one of
 * their spans is due, so memory is bounded and nothing has to be kept over a restart. Rebuilding costs far more than
 * keeping, so finished tasks never displace unfinished ones.
 */
import type { EventLog, Needs } from '../../app/context.ts';
import { Lru } from '../../base/lru.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import { attemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import { attemptTrace, type TaskTrace, taskTrace } from '../../engine/runtime/task-trace.ts';
import { MAX_LINKS, type Span, type SpanLink } from './span.ts';
import { isSettlement, type TaskLinks, TaskSpanBuilder, type TracedRecord } from './task-span.ts';

/** Builders in memory, of some 700 bytes each. */
export interface BuilderLimits {
  /** Of unfinished tasks. */
  readonly open: number;
  /** Of finished tasks, which other tasks may link to. */
  readonly over: number;
}

const LIMITS: BuilderLimits = { open: 50_000, over: 2_000 };

type Creation = TracedRecord & { readonly event: EventOf<'task.created'> };

export class SpanBuilders {
  readonly #log: Pick<EventLog, 'history'>;
  /** By the key of the task. */
  readonly #open: Lru<string, TaskSpanBuilder>;
  readonly #over: Lru<string, TaskSpanBuilder>;

  constructor({ log }: Needs<'log.history'>, limits = LIMITS) {
    this.#log = log;
    this.#open = new Lru(limits.open);
    this.#over = new Lru(limits.over);
  }

  /**
   * Takes the next record. @returns the spans that end with it
   * @throws SignalboxError `nats_unavailable`, `log_corrupt` if the log cannot be read; the record may be given again then
   */
  async add(record: TracedRecord): Promise<readonly Span[]> {
    const { event } = record;
    if (!('task' in event)) return [];
    const key = taskKey(event);
    if (isCreation(record)) {
      this.#keep(key, await this.#begin(record));
      return [];
    }
    const known = this.#find(key);
    if (!known && event.type !== 'attempt.ended' && !isSettlement(record)) return [];
    const builder = known ?? (await this.#rebuild(event, record));
    if (!builder) return [];
    const spans = builder.add(record);
    this.#keep(key, builder);
    return spans;
  }

  #find(key: string): TaskSpanBuilder | undefined {
    return this.#open.get(key) ?? this.#over.get(key);
  }

  #keep(key: string, builder: TaskSpanBuilder): void {
    this.#open.delete(key);
    this.#over.delete(key);
    (builder.isOver ? this.#over : this.#open).set(key, builder);
  }

  /** From the records before this one; null if the log does not have the creation of the task. */
  async #rebuild(task: TaskRef, { sequence, id }: TracedRecord): Promise<TaskSpanBuilder | null> {
    let builder: TaskSpanBuilder | null = null;
    for await (const record of this.#log.history(task)) {
      if (record.sequence > sequence || record.id === id) break;
      if (isCreation(record)) builder = await this.#begin(record);
      else builder?.add(record);
    }
    return builder;
  }

  async #begin(record: Creation): Promise<TaskSpanBuilder> {
    const { event } = record;
    const parent = await this.#parentOf(event);
    const trace = traceOf(record, parent);
    return new TaskSpanBuilder(event, record, trace, await this.#linksOf(event, parent, trace));
  }

  async #linksOf(
    { project, spec }: EventOf<'task.created'>,
    parent: TaskTrace | null,
    { parentSpanId }: TaskTrace,
  ): Promise<TaskLinks> {
    const { depends_on: dependencies = [], reviews, parent: parentId } = spec;
    const links: SpanLink[] = [];
    if (parent && parent.spanId !== parentSpanId) links.push(linkTo(parent, 'parent'));
    if (parent && reviews !== undefined && reviews.task === parentId) {
      links.push(linkTo(attemptTrace(parent, attemptKey({ project, ...reviews })), 'reviews'));
    }
    for (const task of dependencies) {
      if (links.length === MAX_LINKS) break;
      const trace = await this.#traceOf({ project, task });
      if (trace) links.push(linkTo(trace, 'depends_on'));
    }
    return { links, droppedLinks: Math.max(0, dependencies.length - MAX_LINKS) };
  }

  async #parentOf({ project, spec }: EventOf<'task.created'>): Promise<TaskTrace | null> {
    return spec.parent === undefined ? null : this.#traceOf({ project, task: spec.parent });
  }

  /** null if the log does not have the creation of the task. */
  async #traceOf(task: TaskRef): Promise<TaskTrace | null> {
    const known = this.#find(taskKey(task));
    if (known) return known.trace;
    for await (const record of this.#log.history(task)) {
      return isCreation(record) ? traceOf(record, await this.#parentOf(record.event)) : null;
    }
    return null;
  }
}

function traceOf({ event: { project, task, spec }, time }: Creation, parent: TaskTrace | null): TaskTrace {
  return taskTrace({ project, id: task, spec, createdAt: time }, parent);
}

function linkTo({ traceId, spanId, flags, state }: SpanLink['to'], what: string): SpanLink {
  return { to: { traceId, spanId, flags, state }, attributes: { 'signalbox.link': what } };
}

function isCreation(record: TracedRecord): record is Creation {
  return record.event.type === 'task.created';
}
