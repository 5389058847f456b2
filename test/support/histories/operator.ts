/** A scenario of an operator: edits of tasks and one that is erased, more time for attempts, and trees that are cancelled. */

import { extendAttempt } from '../../../src/app/attempts/attempts.ts';
import { cancelTask } from '../../../src/app/tasks/decide-task.ts';
import { editTask } from '../../../src/app/tasks/edit-task.ts';
import { redactContent } from '../../../src/app/tasks/redact.ts';
import type { EditTask } from '../../../src/contracts/api/requests.ts';
import { agent } from '../simulation/agent.ts';
import { scripts } from '../simulation/script.ts';
import { Simulation } from '../simulation/simulation.ts';

const PROJECT = 'demo';
const ACTOR = 'user:ann';

export async function operator(): Promise<Simulation> {
  const simulation = await Simulation.begin({
    agents: [
      agent('writer', scripts.succeeds(), { capabilities: ['write'] }),
      agent('slow', scripts.hangs([1_000, 3_000, 5_000]), {
        concurrency: 4,
        silenceMs: 10_000,
        timeoutMs: 60_000,
      }),
    ],
  });
  await edits(simulation);
  await moreTime(simulation);
  await trees(simulation);
  return simulation;
}

function edit(simulation: Simulation, task: string, change: EditTask): Promise<unknown> {
  return simulation.answer(editTask(simulation.app, { project: PROJECT, task }, change, ACTOR));
}

/** Of every field, before and between attempts, and of the priority while an attempt is open. */
async function edits(simulation: Simulation): Promise<void> {
  const { app } = simulation;
  const expires = (seconds: number): string =>
    new Date(app.environment.clock.now() + seconds * 1_000).toISOString();
  await simulation.create({
    id: 'edited',
    title: 'A secret title',
    description: 'a secret text',
    type: 'unknown',
    params: { key: 'secret' },
    labels: { team: 'secret', round: '1' },
    expires_at: expires(600),
  });
  await edit(simulation, 'edited', {
    title: 'Another title',
    description: 'another text',
    labels: { team: 'core', round: null },
    params: { key: 'none' },
    must_haves: ['a date'],
    links: ['https://example.com/1'],
    comment: 'it was too open',
  });
  const reason = 'it names a person';
  const redact = { description: true, reason } as const;
  const redacted = (): boolean =>
    simulation.typesOf('edited').filter((type) => type === 'task.redacted').length === 2;
  // Files are erased on a real disk: only until it is stored does the simulation's time pass.
  const done = redactContent(app, { project: PROJECT, task: 'edited' }, redact, ACTOR);
  await simulation.until(redacted);
  await done;
  await edit(simulation, 'edited', {
    title: 'The last title',
    type: 'write',
    action: 'letter',
    review: 'manual',
    timeout_seconds: 60,
    silence_timeout_seconds: 30,
    expires_at: expires(1_200),
    priority: 9,
  });
  await simulation.untilState('edited', 'review');
  await edit(simulation, 'edited', { priority: 2, comment: 'no hurry' });
  await simulation.create({ id: 'moved', agent: 'slow', delay_seconds: 5 });
  await edit(simulation, 'moved', { agent: 'writer', expires_at: null, labels: { team: 'core' } });
  await simulation.untilState('moved', 'done');
}

/** For an agent that works, and for one that is suspected; and after all it is too long. */
async function moreTime(simulation: Simulation): Promise<void> {
  const { app } = simulation;
  const ref = { project: PROJECT, task: 'long', attempt: 1 };
  const extend = (seconds: number): Promise<unknown> =>
    simulation.answer(extendAttempt(app, ref, { seconds }, ACTOR));
  await simulation.create({ id: 'long', agent: 'slow', max_attempts: 1 });
  await simulation.untilState('long', 'working');
  await extend(30);
  await simulation.until(() => simulation.model.stateOf('attempt', 'demo/long/1') === 'suspected');
  await extend(20);
  await simulation.untilState('long', 'failed');
}

/** With one that is cancelled while it is made, over a crash. */
async function trees(simulation: Simulation): Promise<void> {
  await simulation.create({ id: 'root', agent: 'slow' });
  await simulation.create({ id: 'child', agent: 'slow', parent: 'root' });
  await simulation.create({ id: 'grandchild', agent: 'writer', parent: 'child', delay_seconds: 600 });
  await simulation.untilState('child', 'working');
  const cancelled = cancelTask(simulation.app, { project: PROJECT, task: 'root' }, { children: true }, ACTOR);
  await simulation.until(() => simulation.typesOf('root').includes('task.cancelled'));
  simulation.crash();
  await simulation.restart();
  await cancelled.catch(() => {});
  await simulation.untilState('grandchild', 'cancelled');
  await simulation.advance(5_000);
}
