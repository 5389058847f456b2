/**
 * The stories of all tasks whose events come by, the newest in memory.
 *
 * S4 A story that is not in memory (after a restart, or because there are too many) is read from the task's own part of the
 *    log when one of its spans is due. So memory is bounded, and nothing has to be kept over a restart.
 * S5 Reading a story costs far more than keeping one: finished tasks never push out those that are under way.
 */
import type { EventLog, Needs } from '../../app/context.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import { projectId, taskId } from '../../contracts/ids.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { attemptTrace, type TaskTrace, taskTrace } from '../../engine/runtime/task-trace.ts';
import * as name from './semantics.ts';
import { MAX_LINKS, type Span, type SpanLink } from './span.ts';
import { type StoryLinks, TaskStory, type TracedRecord } from './task-story.ts';

const NO_LINKS: StoryLinks = { links: [], droppedLinks: 0 };
/** Some 700 bytes each. */
const LIMITS: StoryLimits = { open: 50_000, over: 2_000 };

export interface StoryLimits {
  /** Stories of tasks that are under way. */
  readonly open: number;
  /** Of those that are over: others may be linked to them. */
  readonly over: number;
}

type Creation = TracedRecord & { readonly event: EventOf<'task.created'> };

export class TaskStories {
  readonly #log: Pick<EventLog, 'history'>;
  readonly #limits: StoryLimits;
  /** By `project/task`; the one that was used last is the last. */
  readonly #open = new Map<string, TaskStory>();
  readonly #over = new Map<string, TaskStory>();

  constructor({ log }: Needs<'log.history'>, limits = LIMITS) {
    this.#log = log;
    this.#limits = limits;
  }

  /**
   * The next record. @returns the spans that are whole with it
   * @throws SignalboxError `nats_unavailable`, `log_corrupt` where the log has to be read; then it may be given again
   */
  async evolve(record: TracedRecord): Promise<readonly Span[]> {
    const { event } = record;
    if (!('task' in event)) return [];
    const key = `${event.project}/${event.task}`;
    if (isCreation(record)) {
      this.#keep(key, await this.#begin(record));
      return [];
    }
    const known = this.#find(key);
    if (!known && !endsSpan(record)) return [];
    const story = known ?? (await this.#read(event, record.sequence));
    if (!story) return [];
    const spans = story.evolve(record);
    this.#keep(key, story);
    return spans;
  }

  #find(key: string): TaskStory | undefined {
    return this.#open.get(key) ?? this.#over.get(key);
  }

  #keep(key: string, story: TaskStory): void {
    this.#open.delete(key);
    this.#over.delete(key);
    if (story.isOver) putLast(this.#over, key, story, this.#limits.over);
    else putLast(this.#open, key, story, this.#limits.open);
  }

  /** The story so far, from the log; null where the log has no beginning of it. */
  async #read(
    { project, task }: { readonly project: string; readonly task: string },
    before: number,
  ): Promise<TaskStory | null> {
    let story: TaskStory | null = null;
    for await (const record of this.#log.history(projectId(project), taskId(task))) {
      if (record.sequence >= before) break;
      if (isCreation(record)) story = await this.#begin(record);
      else story?.evolve(record);
    }
    return story;
  }

  async #begin(record: Creation): Promise<TaskStory> {
    const { project, task: id, spec } = record.event;
    const traced = { project, id, spec, createdAt: record.time };
    const parent = spec.parent === undefined ? null : await this.#traceOf(project, spec.parent);
    const trace = taskTrace(traced, parent);
    return new TaskStory(record.event, record, trace, await this.#linksOf(record.event, parent, trace));
  }

  async #linksOf(
    { project, spec }: EventOf<'task.created'>,
    parent: TaskTrace | null,
    { parentSpanId }: TaskTrace,
  ): Promise<StoryLinks> {
    const { depends_on: dependencies = [], reviews, parent: parentId } = spec;
    if (!parent && dependencies.length === 0) return NO_LINKS;
    const links: SpanLink[] = [];
    if (parent && parent.spanId !== parentSpanId) links.push(linkTo(parent, 'parent'));
    if (parent && reviews !== undefined && reviews.task === parentId) {
      const reviewed = attemptTrace(parent, `${project}/${reviews.task}/${reviews.attempt}`);
      links.push(linkTo(reviewed, 'reviews'));
    }
    for (const dependency of dependencies) {
      if (links.length === MAX_LINKS) break;
      const trace = await this.#traceOf(project, dependency);
      if (trace) links.push(linkTo(trace, 'depends_on'));
    }
    return { links, droppedLinks: Math.max(0, dependencies.length - MAX_LINKS) };
  }

  /** null where the log has no beginning of that task. */
  async #traceOf(project: string, id: string): Promise<TaskTrace | null> {
    const known = this.#find(`${project}/${id}`);
    if (known) return known.trace;
    for await (const record of this.#log.history(projectId(project), taskId(id))) {
      if (!isCreation(record)) return null;
      const { spec } = record.event;
      const parent = spec.parent === undefined ? null : await this.#traceOf(project, spec.parent);
      return taskTrace({ project, id, spec, createdAt: record.time }, parent);
    }
    return null;
  }
}

function putLast(stories: Map<string, TaskStory>, key: string, story: TaskStory, limit: number): void {
  stories.set(key, story);
  for (const oldest of stories.keys()) {
    if (stories.size <= limit) return;
    stories.delete(oldest);
  }
}

function linkTo({ traceId, spanId, flags, state }: SpanLink['to'], what: string): SpanLink {
  return { to: { traceId, spanId, flags, state }, attributes: { [name.LINK]: what } };
}

function isCreation(record: TracedRecord): record is Creation {
  return record.event.type === 'task.created';
}

function endsSpan({ event, transitions }: TracedRecord): boolean {
  if (event.type === 'attempt.ended') return true;
  const moved = transitions.find(({ entity }) => entity === 'task');
  return moved !== undefined && SETTLED_STATES.has(moved.to as TaskState) && moved.from !== moved.to;
}
