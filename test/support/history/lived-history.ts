/** A history that was lived through: what the log holds of it, and what could be seen after each event. */
import { newProjections, type Projections } from '../../../projections/index.ts';
import { canonicalJson } from '../../../src/base/canonical-json.ts';
import type { DomainEvent } from '../../../src/contracts/events/events.ts';
import { attemptKey } from '../../../src/contracts/ids.ts';
import { ActorHost, type Machines } from '../../../src/engine/runtime/actor-host.ts';
import { CommitPipeline } from '../../../src/engine/runtime/commit-pipeline.ts';
import { BEGINNING } from '../../../src/engine/runtime/rebuild.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { MemoryJournal, MemoryLog } from '../memory-journal.ts';
import {
  AGENTS,
  BUDGETS,
  type Claims,
  eventOf,
  QUEUES,
  SCHEDULES,
  type Step,
  TASKS,
} from './random-history.ts';

export const LIVED_SINCE = Date.UTC(2025, 0, 1);

export class Lived {
  readonly host: ActorHost;
  readonly messages: StoredMessage[] = [];
  /** What was visible after each event, if that is watched. */
  readonly texts: string[] = [];
  readonly projections = newProjections();
  readonly #claims: Claims = new Map();
  readonly #pipeline: CommitPipeline;

  /** @param machines those that decide; default: the current ones */
  constructor(steps: readonly Step[], isWatched = false, machines?: Machines) {
    this.host = new ActorHost(machines);
    this.#pipeline = new CommitPipeline({
      clock: { now: () => LIVED_SINCE + this.messages.length, schedule: () => () => {} },
      writer: 'w',
      maxBacklog: 1,
      maxEventBytes: 1_000_000,
    });
    this.#pipeline.attach({
      host: this.host,
      last: BEGINNING,
      journal: new MemoryJournal(new MemoryLog(), this.#pipeline),
      onCommitted: (records) => {
        for (const record of records) this.projections.evolve(record);
        if (isWatched) this.texts.push(seenIn(this.projections, this.host));
      },
    });
    // As in every log, a writer comes first.
    this.#commit({ type: 'supervisor.started', writer: 'w', version: '1', host: 'h', pid: 1 });
    for (const each of steps) this.#offer(each);
    this.#commit({ type: 'supervisor.stopped', reason: 'the end' });
  }

  #offer(each: Step): void {
    const event = eventOf(each, this.host, this.#claims);
    if (event.type.startsWith('supervisor.')) return;
    try {
      this.#commit(event);
    } catch {
      return;
    }
    if (event.type === 'task.claimed') {
      this.#claims.set(attemptKey(event), event.agent);
    }
  }

  #commit(event: DomainEvent): void {
    const entry = this.#pipeline.prepare(event, { actor: 'user:test' });
    const sequence = this.messages.length + 1;
    this.#pipeline.onStored(entry, sequence);
    const { id, subject, bytes } = entry;
    this.messages.push({ sequence, id, subject, bytes });
  }
}

/** All that is known at a moment: the projections, and the actors of the tasks, agents and queues that histories are about. */
export function seenIn(projections: Projections, host: ActorHost): string {
  const { blackboard, attempts, agents, queues, schedules, budgets } = projections;
  const tables = [
    blackboard.tasks,
    attempts.byTask,
    agents.byId,
    queues.paused,
    schedules.byId,
    budgets.byId,
  ];
  const views = tables.map((table) => [...table].map(([key, entry]) => `${key}=${textOf(entry)}`).join('\n'));
  const actors = TASKS.map((task) => {
    const actor = host.get('task', task);
    return [actor, host.get('attempt', `${task}/${actor?.context.openAttempt}`)];
  });
  const known = [
    ...actors.flat(),
    ...AGENTS.map((agent) => host.get('agent', agent)),
    ...QUEUES.map((queue) => host.get('queue', queue)),
    ...SCHEDULES.map((schedule) => host.get('schedule', schedule)),
    ...BUDGETS.map((budget) => host.get('budget', budget)),
  ];
  return [
    ...views,
    canonicalJson(blackboard.counts),
    ...known.map((actor) => textOf(actor ?? NO_ACTOR)),
  ].join('\n\n');
}

const NO_ACTOR = {};
/** Entries are replaced and never changed, so the text of each is made once. */
const texts = new WeakMap<object, string>();

function textOf(entry: object): string {
  const known = texts.get(entry) ?? canonicalJson(entry);
  texts.set(entry, known);
  return known;
}
