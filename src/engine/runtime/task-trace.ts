/**
 * The trace that a task and its attempts stand in. It follows from what is in the log, so that a restart names every span
 * the same, and what an agent exports hangs below its attempt.
 *
 * K1 A task that was asked for within a trace belongs to it; one with a parent to the trace of the parent; any other
 *    begins a trace of its own.
 * K2 The id of a span follows from what it is about and from its trace: nothing is drawn at random.
 */

import { sha256 } from '../../base/hash.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { TaskSpec } from '../../contracts/tasks.ts';
import {
  formatTraceparent,
  OWN_FLAGS,
  parseTraceparent,
  type TraceContext,
} from '../../contracts/trace-context.ts';

/** What of a task its trace follows from. */
export interface TracedTask {
  readonly project: string;
  readonly id: string;
  readonly spec: Pick<TaskSpec, 'parent' | 'traceparent' | 'tracestate'>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The span of a task, and the one above it. */
export interface TaskTrace extends TraceContext {
  /** null where the trace begins with the task. */
  readonly parentSpanId: string | null;
}

/** @param parent of the parent task; null where there is none */
export function taskTrace(
  { project, id, spec, createdAt }: TracedTask,
  parent: TraceContext | null,
): TaskTrace {
  const above = (spec.traceparent && parseTraceparent(spec.traceparent, spec.tracestate)) || parent;
  const traceId = above?.traceId ?? sha256(`trace ${project}/${id} ${createdAt}`).slice(0, 32);
  return {
    traceId,
    spanId: spanIdOf(taskKey({ project, task: id }), traceId),
    parentSpanId: above?.spanId ?? null,
    flags: above?.flags ?? OWN_FLAGS,
    state: above?.state,
  };
}

/** The trace of a task whose parents are in memory, as those of every open task are. */
export function traceOf(tasks: ReadonlyMap<string, TracedTask>, task: TracedTask): TaskTrace {
  const { project, spec } = task;
  if (spec.traceparent !== undefined || spec.parent === undefined) return taskTrace(task, null);
  const parent = tasks.get(taskKey({ project, task: spec.parent }));
  return taskTrace(task, parent ? traceOf(tasks, parent) : null);
}

/** The span of one attempt. @param attempt as `project/task/number` */
export function attemptTrace(trace: TraceContext, attempt: string): TraceContext {
  const { traceId, flags, state } = trace;
  return { traceId, spanId: spanIdOf(attempt, traceId), flags, state };
}

/** What an agent gets: whatever it traces is below its attempt. @param attempt as `project/task/number` */
export function attemptTraceparent(trace: TraceContext, attempt: string): string {
  return formatTraceparent(attemptTrace(trace, attempt));
}

/** @param what unique within the trace */
export function spanIdOf(what: string, traceId: string): string {
  return sha256(`span ${what} ${traceId}`).slice(0, 16);
}
