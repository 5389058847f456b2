import { describe, expect, it } from 'vitest';
import {
  attemptTraceparent,
  type TracedTask,
  taskTrace,
  traceOf,
} from '../../../src/engine/runtime/task-trace.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

function task(id: string, spec: TracedTask['spec'] = {}): TracedTask {
  return { project: 'demo', id, spec, createdAt: 1_795_216_527_507 };
}

const tasksOf = (...tasks: readonly TracedTask[]) => new Map(tasks.map((each) => [`demo/${each.id}`, each]));

describe('the trace of a task', () => {
  it('follows from the log alone, and never changes', () => {
    const trace = taskTrace(task('a'), null);
    expect(trace).toEqual({
      traceId: '9df68982c984923d92efaaeb4e0996a0',
      spanId: '9a5a0fe43174c471',
      parentSpanId: null,
      flags: 1,
      state: undefined,
    });
    expect(attemptTraceparent(trace, 'demo/a/1')).toBe(`00-${trace.traceId}-6bf9ad247ab59bd1-01`);
  });

  it('is the trace of its parent, and of the parent of that', () => {
    const [root, child, grandchild] = [task('a'), task('b', { parent: 'a' }), task('c', { parent: 'b' })];
    const tasks = tasksOf(root, child, grandchild);
    const traces = [root, child, grandchild].map((each) => traceOf(tasks, each));
    expect(new Set(traces.map(({ traceId }) => traceId)).size).toBe(1);
    expect(traces.map(({ parentSpanId }) => parentSpanId)).toEqual([
      null,
      traces[0]?.spanId,
      traces[1]?.spanId,
    ]);
  });

  it('is the trace in which it was created, whatever its parent; its children are in it too', () => {
    const root = task('a');
    const child = task('b', {
      parent: 'a',
      traceparent: `00-${TRACE}-${SPAN}-00`,
      tracestate: 'rojo=1',
    });
    const grandchild = task('c', { parent: 'b' });
    const tasks = tasksOf(root, child, grandchild);
    const trace = traceOf(tasks, child);
    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, flags: 0, state: 'rojo=1' });
    expect(traceOf(tasks, grandchild)).toMatchObject({
      traceId: TRACE,
      parentSpanId: trace.spanId,
      flags: 0,
      state: 'rojo=1',
    });
    expect(traceOf(tasks, root).traceId).not.toBe(TRACE);
  });

  it('gives every task and every attempt a span of its own', () => {
    const traces = ['a', 'b'].map((id) =>
      taskTrace(task(id, { traceparent: `00-${TRACE}-${SPAN}-01` }), null),
    );
    const attempts = traces.flatMap((trace, index) =>
      [1, 2].map((attempt) => attemptTraceparent(trace, `demo/${'ab'[index]}/${attempt}`).slice(36, 52)),
    );
    expect(new Set([...traces.map(({ spanId }) => spanId), ...attempts]).size).toBe(6);
  });
});
