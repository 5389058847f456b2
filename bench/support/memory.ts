/** The memory of a waiting task: its actor, its entry on the blackboard and in its queue. */

import type { Engine } from '../../src/app/engine/engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { PROJECT, request } from './engine.ts';

/** Bytes of the heap after garbage collection. */
export function heapBytes(): number {
  const { gc } = globalThis;
  if (!gc) throw new Error('the bench needs node --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** Heap bytes per live task, measured over `count` pending tasks of a paused agent. */
export async function bytesPerLiveTask(engine: Engine, count: number): Promise<number> {
  await engine.app.log.commit({ type: 'agent.paused', agent: 'worker' }, { actor: 'user:bench' });
  const before = heapBytes();
  for (let created = 0; created < count; created += 1_000) {
    const batch = Array.from({ length: 1_000 }, () =>
      createTask(engine.app, PROJECT, request(), { actor: 'user:bench', attempt: null }),
    );
    await Promise.all(batch);
  }
  return Math.round((heapBytes() - before) / count);
}
