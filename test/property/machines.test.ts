import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyActor, createActor } from 'xstate';
import { MACHINE_NAMES, MACHINES, recipientsOf } from '../../machines/index.ts';
import {
  type DomainEvent,
  ENTITY_KINDS,
  type EntityKind,
  EVENT_TYPES,
  type EventType,
  SUPERVISOR_ID,
  type Transition,
} from '../../src/contracts/events/events.ts';
import { attemptKey, taskKey } from '../../src/contracts/ids.ts';
import { usesUpAttempt } from '../../src/contracts/tasks.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import {
  AGENTS,
  BUDGETS,
  type Claims,
  eventOf,
  QUEUES,
  SCHEDULES,
  type Step,
  step,
  TASKS,
} from '../support/history/random-history.ts';

const RUNS = { numRuns: 200 };
const steps = fc.array(step, { minLength: 10, maxLength: 70, size: 'max' });

class World {
  readonly host = new ActorHost();
  readonly claims: Claims = new Map();
  /** What became of the step's event; null if it was refused. */
  transitions: Transition[] | null = null;

  take(next: Step): DomainEvent {
    const event = eventOf(next, this.host, this.claims);
    try {
      this.transitions = this.host.apply(event);
    } catch (error) {
      expect(error).toMatchObject({ code: 'illegal_transition' });
      this.transitions = null;
      return event;
    }
    if (event.type === 'task.claimed') {
      this.claims.set(attemptKey(event), event.agent);
    }
    return event;
  }

  /** Everything that can be known of every entity. */
  get everything(): object {
    const known: Record<EntityKind, readonly string[]> = {
      task: TASKS,
      attempt: [...this.claims.keys()],
      workspace: TASKS,
      agent: AGENTS,
      queue: QUEUES,
      schedule: SCHEDULES,
      budget: BUDGETS,
      supervisor: [SUPERVISOR_ID],
    };
    return ENTITY_KINDS.map((kind) => ({
      kind,
      live: [...this.host.ids(kind)],
      entities: known[kind].map((id) => this.host.get(kind, id)),
    }));
  }

  openAttemptsOf(agent: string): string[] {
    return [...this.host.ids('attempt')].filter((key) => this.claims.get(key) === agent);
  }
}

/** Runs the steps, and asks `look` after each that was accepted. */
function holdsAlways(
  look: (world: World, event: DomainEvent, transitions: readonly Transition[]) => void,
): void {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new World();
      for (const each of all) {
        const event = world.take(each);
        if (world.transitions) look(world, event, world.transitions);
      }
    }),
    RUNS,
  );
}

describe('any sequence of events', () => {
  it('covers every type of event: each is accepted somewhere', () => {
    const accepted = new Set<EventType>();
    for (const all of fc.sample(steps, { numRuns: 500, seed: 1 })) {
      const world = new World();
      for (const each of all) {
        const { type } = world.take(each);
        if (world.transitions) accepted.add(type);
      }
    }
    expect(EVENT_TYPES.filter((type) => !accepted.has(type))).toEqual([]);
  });

  it('a task never has two open attempts, and its open attempt exists', () => {
    holdsAlways(({ host }) => {
      for (const task of TASKS) {
        const live = [...host.ids('attempt')].filter((key) => key.startsWith(`${task}/`));
        const open = host.get('task', task)?.context.openAttempt ?? null;
        expect(live).toEqual(open === null ? [] : [`${task}/${open}`]);
      }
    });
  });

  it('attempts are numbered 1, 2, 3 …, and those that count never exceed the granted number', () => {
    const newest = new Map<string, number>();
    const givenBack = new Map<string, Set<number | null>>();
    holdsAlways(({ host }, event) => {
      if (event.type === 'task.created') {
        newest.set(taskKey(event), 0);
        givenBack.set(taskKey(event), new Set());
      }
      if (event.type === 'attempt.ended' && !usesUpAttempt(event.outcome)) {
        givenBack.get(taskKey(event))?.add(event.attempt);
      }
      // A block by the open attempt gives it back; one by a person names no attempt.
      if (event.type === 'task.blocked' && event.gives_back && event.attempt !== null) {
        givenBack.get(taskKey(event))?.add(event.attempt);
      }
      if (event.type !== 'task.claimed') return;
      const task = taskKey(event);
      expect(event.attempt).toBe((newest.get(task) ?? 0) + 1);
      newest.set(task, event.attempt);
      const context = host.get('task', task)?.context;
      expect(context?.attempts).toBe(event.attempt);
      expect(context?.attemptsUsed).toBe(event.attempt - (givenBack.get(task)?.size ?? 0));
      expect(context?.attemptsUsed).toBeLessThanOrEqual(context?.attemptsGranted ?? 0);
    });
  });

  it('a done or cancelled task never changes; a failed or expired one only by a redrive', () => {
    holdsAlways((_, event, transitions) => {
      for (const { entity, from, to } of transitions) {
        if (entity !== 'task' || from === to) continue;
        expect(['done', 'cancelled']).not.toContain(from);
        if (from === 'failed' || from === 'expired') expect(event.type).toBe('task.redriven');
      }
    });
  });

  it('an agent has one slot taken for each open attempt, and a claim needs a free one', () => {
    holdsAlways((world, event) => {
      for (const agent of AGENTS) {
        const context = world.host.get('agent', agent)?.context;
        expect(context?.running ?? 0).toBe(world.openAttemptsOf(agent).length);
        if (event.type === 'task.claimed' && event.agent === agent && context) {
          expect(context.running).toBeLessThanOrEqual(context.concurrency);
        }
      }
    });
  });

  it('every attempt can end, by its own agent, and then no slot is taken', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World();
        for (const each of all) world.take(each);
        for (const [key, agent] of world.claims) {
          const [project = '', task = '', attempt = ''] = key.split('/');
          if (!world.host.get('attempt', key)) continue;
          const address = { project, task, attempt: Number(attempt), agent };
          world.host.apply({ type: 'attempt.ended', ...address, outcome: 'lost', retry_at_ms: null });
        }
        expect(world.host.count('attempt')).toBe(0);
        for (const agent of AGENTS) expect(world.host.get('agent', agent)?.context.running ?? 0).toBe(0);
        for (const task of TASKS)
          expect(world.host.get('task', task)?.context.openAttempt ?? null).toBeNull();
      }),
      RUNS,
    );
  });

  it('counts the open attempts of each project', () => {
    holdsAlways(({ host }) => {
      const live = [...host.ids('attempt')];
      expect(host.count('attempt')).toBe(live.length);
      for (const project of ['p', 'q']) {
        const own = live.filter((key) => key.startsWith(`${project}/`));
        expect(host.openAttempts(project)).toBe(own.length);
      }
    });
  });

  it('commit-order/decide-once: an event that one of its recipients refuses changes nothing', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World();
        for (const each of all) {
          const before = world.everything;
          world.take(each);
          if (!world.transitions) expect(world.everything).toEqual(before);
        }
      }),
      RUNS,
    );
  });

  it('versions are 1, 2, 3 … and every transition begins where the one before ended', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World();
        const last = new Map<string, Transition>();
        for (const each of all) {
          world.take(each);
          for (const transition of world.transitions ?? []) {
            const key = `${transition.entity} ${transition.id}`;
            const before = last.get(key);
            expect(transition.version).toBe((before?.version ?? 0) + 1);
            expect(transition.from).toBe(before?.to ?? null);
            expect(transition.machine).toBe(MACHINE_NAMES[transition.entity]);
            last.set(key, transition);
          }
        }
      }),
      RUNS,
    );
  });

  it('machines/pure: behaves as plain XState actors that are never stopped', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World();
        const plain = new PlainHost();
        for (const each of all) {
          const event = world.take(each);
          expect(plain.apply(event)).toEqual(world.transitions);
          for (const task of TASKS) expect(world.host.get('task', task)).toEqual(plain.get('task', task));
          for (const agent of AGENTS)
            expect(world.host.get('agent', agent)).toEqual(plain.get('agent', agent));
          for (const queue of QUEUES)
            expect(world.host.get('queue', queue)).toEqual(plain.get('queue', queue));
          for (const schedule of SCHEDULES)
            expect(world.host.get('schedule', schedule)).toEqual(plain.get('schedule', schedule));
          for (const budget of BUDGETS)
            expect(world.host.get('budget', budget)).toEqual(plain.get('budget', budget));
        }
      }),
      RUNS,
    );
  });
});

/** The actor host in its simplest form: one XState actor for each entity, for ever. */
class PlainHost {
  readonly #actors = new Map<string, { readonly actor: AnyActor; version: number }>();

  get(kind: EntityKind, id: string): object | undefined {
    const known = this.#actors.get(`${kind} ${id}`);
    if (!known) return undefined;
    const { value, context } = known.actor.getSnapshot();
    return { state: value, context, version: known.version };
  }

  /** null if a recipient is missing or refuses. */
  apply(event: DomainEvent): Transition[] | null {
    const found = recipientsOf(event).flatMap(({ kind, id, opens }) => {
      const known = this.#actors.get(`${kind} ${id}`);
      if (known) return { kind, id, known, isNew: false };
      if (!opens) return [];
      const machine = MACHINES[kind];
      const snapshot = machine.resolveState({ value: 'new', context: opens as never });
      const actor: AnyActor = createActor(machine, { snapshot }).start();
      return { kind, id, known: { actor, version: 0 }, isNew: true };
    });
    const isHeard = found.every(({ known }) => known.actor.getSnapshot().can(event));
    if (found.length < recipientsOf(event).length || !isHeard) return null;
    return found.map(({ kind, id, known, isNew }) => {
      const from: string = known.actor.getSnapshot().value;
      known.actor.send(event);
      known.version++;
      this.#actors.set(`${kind} ${id}`, known);
      const to: string = known.actor.getSnapshot().value;
      const { version } = known;
      return { entity: kind, id, version, from: isNew ? null : from, to, machine: MACHINE_NAMES[kind] };
    });
  }
}
