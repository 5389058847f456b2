/**
 * The traces of tasks and attempts. Every id follows from the log, nothing is random: after a restart every span has the
 * same id. A task that was created within a trace belongs to it; otherwise it belongs to the trace of its parent, or
 * starts a trace of its own.
 */
import { sha256 } from '../../base/hash.ts';
import {
  formatTraceparent,
  OWN_FLAGS,
  parseTraceparent,
  type TraceContext,
} from '../../base/trace-context.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { TaskSpec } from '../../contracts/tasks.ts';

/** The part of a task that determines its trace. */
export interface TracedTask {
  readonly project: string;
  readonly id: string;
  readonly spec: Pick<TaskSpec, 'parent' | 'traceparent' | 'tracestate'>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The span of a task, and its parent span. */
export interface TaskTrace extends TraceContext {
  /** null if the trace starts with the task. */
  readonly parentSpanId: string | null;
}

/** @param parent the trace of the parent task; null if there is none */
export function taskTrace(
  { project, id, spec, createdAt }: TracedTask,
  parent: TraceContext | null,
): TaskTrace {
  const above = (spec.traceparent && parseTraceparent(spec.traceparent, spec.tracestate)) || parent;
  const key = taskKey({ project, task: id });
  const traceId = above?.traceId ?? sha256(`trace ${key} ${createdAt}`).slice(0, 32);
  return {
    traceId,
    spanId: spanIdOf(key, traceId),
    parentSpanId: above?.spanId ?? null,
    flags: above?.flags ?? OWN_FLAGS,
    state: above?.state,
  };
}

/** The trace of a task whose parents are in memory; those of every open task are. */
export function traceOf(tasks: ReadonlyMap<string, TracedTask>, task: TracedTask): TaskTrace {
  const { project, spec } = task;
  if (spec.traceparent !== undefined || spec.parent === undefined) return taskTrace(task, null);
  const parent = tasks.get(taskKey({ project, task: spec.parent }));
  return taskTrace(task, parent ? traceOf(tasks, parent) : null);
}

/** The span of one attempt. @param attempt the key of the attempt */
export function attemptTrace(trace: TraceContext, attempt: string): TraceContext {
  const { traceId, flags, state } = trace;
  return { traceId, spanId: spanIdOf(attempt, traceId), flags, state };
}

/** The `traceparent` for the agent: its spans are below its attempt. @param attempt the key of the attempt */
export function attemptTraceparent(trace: TraceContext, attempt: string): string {
  return formatTraceparent(attemptTrace(trace, attempt));
}

/** @param what unique within the trace */
export function spanIdOf(what: string, traceId: string): string {
  return sha256(`span ${what} ${traceId}`).slice(0, 16);
}
