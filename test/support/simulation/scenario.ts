/**
 * One random scenario from a seed: first days in which everything goes wrong, then days of calm, at whose end nothing
 * may be left that stays unfinished for ever.
 */
import { newProjections, type Projections } from '../../../projections/index.ts';
import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { SETTLED_STATES, type TaskState } from '../../../src/contracts/tasks.ts';
import { ActorHost } from '../../../src/engine/runtime/actor-host.ts';
import { Rebuilding, rebuild } from '../../../src/engine/runtime/rebuild.ts';
import { Retention, type RetentionLimits } from '../../../src/engine/runtime/retention.ts';
import { viewKey } from '../../../src/engine/runtime/views.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { MemorySnapshots } from '../history/memory-snapshots.ts';
import type { MemoryLog } from '../memory-journal.ts';
import { queueOf, type TaskModel, Violation } from './log-entities.ts';
import { LogModel } from './log-model.ts';
import { type JournalFactory, LIMITS } from './node.ts';
import { People } from './people.ts';
import { Random } from './random.ts';
import { randomAgents } from './random-agents.ts';
import { Simulation } from './simulation.ts';
import { Trouble } from './trouble.ts';

/** Milliseconds in which things are asked for and go wrong, and in which people still look after what is left. */
const TROUBLED_MS = 120_000;
const ATTENDED_MS = 300_000;
const STEPS_MAX = 50_000;

export interface Outcome {
  readonly events: number;
  readonly tasks: number;
  readonly digest: string;
}

/** @throws Violation, or whatever else went wrong */
export async function playScenario(seed: number, openJournal?: JournalFactory): Promise<Outcome> {
  const random = new Random(seed);
  const agents = randomAgents(random);
  const limits = { ...LIMITS, concurrency: random.int(1, 6), projectConcurrency: random.int(1, 4) };
  const retention = {
    finishedMs: random.pick([0, 10_000, 100_000_000]),
    deadLettersMs: random.pick([0, 60_000, 100_000_000]),
    tasks: random.pick([0, 3, 1_000]),
  };
  const simulation = new Simulation({
    seed: random.int(1, 2 ** 31),
    agents,
    limits,
    openJournal,
    storeMs: random.pick([0, 5, 50, 500]),
    network: { delayMs: random.pick([1, 100, 5_000]), duplicates: random.pick([0, 0.3]) },
    retention,
    snapshots: random.chance(0.7) ? { store: new MemorySnapshots(), every: random.pick([1, 5, 30]) } : null,
  });
  simulation.trees.faults = { plan: 5, setUp: 10, conflict: 20, merge: 10 };
  const trouble = new Trouble(simulation);
  const people = new People(
    simulation,
    agents.map(({ id }) => id),
  );
  plan(simulation, people, trouble, random);
  await simulation.open();
  let steps = 0;
  while (await simulation.step()) {
    if (++steps > STEPS_MAX) throw new Violation(`it does not come to rest within ${STEPS_MAX} steps`);
  }
  assertAtRest(simulation);
  await assertRebuilt(simulation, retention);
  await assertArchived(simulation);
  const model = new LogModel(limits);
  for (const record of simulation.records) model.apply(record);
  const last = simulation.records.at(-1);
  return {
    events: simulation.records.length,
    tasks: simulation.model.tasks.size,
    digest: last?.previousHash ?? '',
  };
}

function plan(simulation: Simulation, people: People, trouble: Trouble, random: Random): void {
  const { clock } = simulation;
  const often = (count: number, happen: () => void): void => {
    for (let index = 0; index < count; index++) clock.schedule(random.int(0, TROUBLED_MS), happen);
  };
  often(random.int(5, 20), () => people.createTask());
  often(random.int(0, 3), () => people.createFamily());
  often(random.int(0, 25), () => people.meddle());
  often(random.int(0, 2), () => people.createSchedule());
  often(random.int(0, 3), () => people.meddleWithSchedules());
  often(random.int(0, 2), () => people.setBudgets());
  often(random.int(0, 2), () => people.raiseBudgets());
  often(random.int(0, 3), () => people.pauseAgent());
  often(random.int(0, 2), () => people.pauseQueue());
  often(random.int(0, 5), () => trouble.crashAtAppend());
  often(random.int(0, 6), () => trouble.crashAtEvent());
  often(random.int(0, 2), () => trouble.crash());
  often(random.int(0, 1), () => trouble.shutDown());
  often(random.int(0, 2), () => trouble.outage());
  often(random.int(0, 2), () => trouble.clockJump());
  often(random.int(0, 2), () => trouble.takeOver());
  for (let at = 5_000; at < ATTENDED_MS; at += 10_000)
    clock.schedule(at, () => {
      people.attend();
      people.answer();
    });
  // An attempt that waits for an answer waits for as long as it takes.
  for (let at = ATTENDED_MS; at < 12 * ATTENDED_MS; at += 60_000) clock.schedule(at, () => people.answer());
  clock.schedule(TROUBLED_MS + 1, () => trouble.end());
  // More than once: Signalbox may be down.
  for (const at of [10_000, 60_000, 120_000])
    clock.schedule(TROUBLED_MS + at, () => {
      people.removeSchedules();
      people.removeBudgets();
    });
  if (random.chance(0.8)) clock.schedule(TROUBLED_MS + 20_000, () => people.resumeAgents());
  if (random.chance(0.8)) clock.schedule(TROUBLED_MS + 20_000, () => people.resumeQueues());
}

/** Nothing is stuck, nothing leaks. */
function assertAtRest(simulation: Simulation): void {
  const { model, processes, node } = simulation;
  if (!node) throw new Violation('no Signalbox is up');
  const { host, backlog, projections } = node.engine;
  const problems = [...model.tasks.values()].flatMap((task) => stuckReason(simulation, task) ?? []);
  const orphans = processes.alive().filter(({ owner }) => owner === null);
  for (const { order } of orphans) problems.push(`a process of ${taskKey(order)} is still there`);
  for (const agent of host.ids('agent')) {
    const { state, context } = host.get('agent', agent) ?? {};
    if (context?.running !== 0) problems.push(`agent ${agent} counts ${context?.running} attempts`);
    // An attempt that does not count, such as a parked one, proves nothing.
    if (state === 'probing' && context?.proven === true)
      problems.push(`agent ${agent} is still on probation`);
  }
  for (const key of model.fired)
    if (!model.tasks.has(key)) problems.push(`task ${key} of a schedule is missing`);
  if (host.count('attempt') > 0) problems.push(`${host.count('attempt')} attempts are open`);
  if (backlog > 0) problems.push(`${backlog} events were never stored`);
  if (projections.sequence !== simulation.log.tip().sequence)
    problems.push('not all that is stored is visible');
  if (problems.length > 0) throw new Violation(problems.join('; '));
}

/** Why a task must not stay in its state although nothing more will happen; null if it may. */
function stuckReason(simulation: Simulation, task: TaskModel): string | null {
  const { model, node } = simulation;
  const view = node?.engine.projections.blackboard.tasks.get(viewKey(task));
  const stuck = `task ${taskKey({ project: task.project, task: task.id })} stays ${task.state}`;
  if (SETTLED_STATES.has(task.state)) return missingFollowUps(simulation, task);
  const above = model.cancelledAbove(task);
  if (above !== null) return `${stuck}, below ${above}, which was cancelled with everything below it`;
  switch (task.state) {
    case 'blocked':
      return view?.reason ? null : `${stuck} without a reason`;
    case 'review': {
      const children = [...model.tasks.values()].filter(
        ({ project, spec }) => project === task.project && spec.parent === task.id,
      );
      const waits = task.spec.join === true && children.some(({ state }) => state !== 'done');
      if (view?.merging) return `${stuck}, being merged`;
      // What cannot be merged waits for a person.
      const isStuck = node?.engine.projections.workspaces.byTask.get(viewKey(task))?.isStuck ?? false;
      return task.spec.review === 'manual' || waits || isStuck ? null : stuck;
    }
    case 'pending': {
      if (model.stateOf('queue', queueOf(task)) === 'paused') return null;
      const takers = (node?.engine.app.supervision.roster.all() ?? []) as Iterable<{
        id: string;
        capabilities: readonly string[];
      }>;
      const able = [...takers].filter(({ id, capabilities }) =>
        task.spec.agent === undefined ? capabilities.includes(task.spec.type ?? '') : id === task.spec.agent,
      );
      // A task that was parked waits for the agent that has its session.
      const holder = view?.goesFirst && task.spec.agent === undefined ? view.agent : null;
      const waitedFor = holder === null ? able : able.filter(({ id }) => id === holder);
      const states = waitedFor.map(({ id }) => model.stateOf('agent', id) ?? '');
      return states.every((state) => state === 'paused' || state === 'draining')
        ? null
        : `${stuck}: ${states.join()}`;
    }
    case 'scheduled': {
      const waits = [...task.waitingFor].some(
        (id) =>
          !SETTLED_STATES.has(
            model.tasks.get(taskKey({ project: task.project, task: id }))?.state as TaskState,
          ),
      );
      return waits ? null : stuck;
    }
    default:
      return stuck;
  }
}

function missingFollowUps({ model }: Simulation, { project, id, spec, state }: TaskModel): string | null {
  if (state !== 'done') return null;
  const key = taskKey({ project, task: id });
  const missing = (spec.follow_ups ?? []).filter((_, index) => !model.tasks.has(`${key}-f${index + 1}`));
  return missing.length > 0 ? `task ${key} has ${missing.length} follow-ups too few` : null;
}

/** The log alone gives the visible state, except for tasks that have left memory in one and not in the other. */
async function assertRebuilt(simulation: Simulation, limits: RetentionLimits): Promise<void> {
  const host = new ActorHost();
  const projections = newProjections('unseen');
  const { log, app } = simulation;
  const retention = new Retention({ host, projections, limits });
  const rebuilding = new Rebuilding({ host, projections });
  for await (const message of stored(log)) {
    for (const record of rebuilding.next(message)) retention.onRecord(record);
  }
  retention.catchUp();
  projections.handOut();
  leaveWhatHasLeft(projections, app.state.projections);
  leaveWhatHasLeft(app.state.projections, projections);
  if (projections.toText() !== app.state.projections.toText())
    throw new Violation('a replay gives another state');
}

function leaveWhatHasLeft(here: Projections, there: Projections): void {
  for (const [key, { state }] of here.blackboard.tasks) {
    if (there.blackboard.tasks.has(key)) continue;
    if (!SETTLED_STATES.has(state)) throw new Violation(`task ${key} is ${state}, and has left memory`);
    here.forgetTask(key);
  }
}

/** What has left memory is read back as it was. */
async function assertArchived({ log, app }: Simulation): Promise<void> {
  const projections = newProjections();
  await rebuild(stored(log), new ActorHost(), projections);
  for (const [key, task] of projections.blackboard.tasks) {
    if (app.state.projections.blackboard.tasks.has(key)) continue;
    const found = await app.state.archive.find({ project: task.project, task: task.id });
    const whole = { view: task, attempts: projections.attempts.byTask.get(key) ?? [] };
    const read = found && { view: found.view, attempts: found.attempts };
    if (canonicalJson(read) !== canonicalJson(whole))
      throw new Violation(`task ${key} is read back as another one`);
  }
}

async function* stored(log: MemoryLog): AsyncIterable<StoredMessage> {
  yield* log.messages;
}
