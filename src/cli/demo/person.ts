/** The person of the demo: hands in the tasks and looks after them, over HTTP like anybody else. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import type { Scene } from './scenes.ts';

export const PROJECT = 'demo';
const NAME = 'demo-person';

/** How often the person looks. */
const LOOK_MS = 250;
/** Whatever is not at its end by then never will be. */
const PATIENCE_MS = 120_000;

export async function handIn(client: SignalboxClient, scenes: readonly Scene[]): Promise<void> {
  for (const { task } of scenes) await client.createTask({ project: PROJECT, ...task, source: NAME });
}

/** Reviews what is to be reviewed, until every task has settled and no process runs any more; or patience ends. */
export async function lookAfter(
  client: SignalboxClient,
  scenes: readonly Scene[],
  signal: AbortSignal,
): Promise<void> {
  const reviews = new Map(scenes.map(({ task, reviews: said = [] }) => [task.id, [...said]]));
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const { tasks } = await client.listTasks({ project: PROJECT });
    if (tasks.every(isOver)) return;
    for (const { id, status, open_attempt } of tasks) {
      if (status !== 'review' || open_attempt !== null) continue;
      const review = reviews.get(id)?.shift();
      if (review !== undefined) {
        const decision = { project: PROJECT, task: id, by: NAME, comment: review.comment };
        await client[`${review.decision}Task`](decision);
      }
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function isOver({ status, open_attempt }: TaskAnswer): boolean {
  return SETTLED_STATES.has(status) && open_attempt === null;
}

export function readAll(client: SignalboxClient, scenes: readonly Scene[]): Promise<TaskAnswer[]> {
  return Promise.all(
    scenes.map(({ task }) => client.readTask({ project: PROJECT, task: task.id, expand: ['all'] })),
  );
}
