import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../machines/graph.ts';
import { MACHINES } from '../../machines/index.ts';
import {
  type DomainEvent,
  ENTITY_KINDS,
  type EntityKind,
  type EventOf,
  type StoredRecord,
} from '../../src/contracts/events/events.ts';
import { attemptKey } from '../../src/contracts/ids.ts';
import { readRecords } from '../../src/engine/replay/event-source.ts';
import { fileSource } from '../../src/engine/replay/file-source.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { goldenHistories } from '../support/histories/golden.ts';
import { type Claims, eventOf, step } from '../support/history/random-history.ts';

const HISTORIES = 2_000;
const steps = fc.array(step, { minLength: 10, maxLength: 70, size: 'max' });

type Moved = Pick<StoredRecord, 'event' | 'transitions'>;

/** Every change of state, as `machine from event to`; the first event of an entity comes out of the initial state. */
function changesIn({ event, transitions }: Moved): string[] {
  return transitions
    .filter(({ from, to }) => from !== to)
    .map(({ entity, from, to }) => `${entity}: ${from ?? 'new'} -${event.type}-> ${to}`);
}

function* randomHistories(): Iterable<Moved> {
  for (const all of fc.sample(steps, { numRuns: HISTORIES, seed: 1 })) {
    const host = new ActorHost();
    const claims: Claims = new Map();
    for (const each of all) {
      const event = eventOf(each, host, claims);
      try {
        yield { event, transitions: host.apply(event) };
      } catch (error) {
        expect(error).toMatchObject({ code: 'illegal_transition' });
        continue;
      }
      if (event.type === 'task.claimed') {
        claims.set(attemptKey(event), event.agent);
      }
    }
  }
}

/** Random callers seldom block a task for the very dependency that is done later. */
function* freedByItsDependency(): Iterable<Moved> {
  const host = new ActorHost();
  const a = { project: 'p', task: 'a' };
  const spec = { title: 'a', max_attempts: 1 } as EventOf<'task.created'>['spec'];
  const events: DomainEvent[] = [
    { type: 'task.created', ...a, spec, request_sha256: '', waiting_for: ['b'] },
    { type: 'task.blocked', ...a, attempt: null, reason: 'b has failed', dependency: 'b' },
    { type: 'task.dependency_met', ...a, dependency: 'b' },
  ];
  for (const event of events) yield { event, transitions: host.apply(event) };
}

/** Random attempts seldom live long enough to be suspected after they have waited, or to fail while they are suspected. */
function* suspectedAttempts(): Iterable<Moved> {
  const host = new ActorHost();
  const a = { project: 'p', task: 'a' };
  const spec = { title: 'a', max_attempts: 3 } as EventOf<'task.created'>['spec'];
  const one = { ...a, attempt: 1 };
  const two = { ...a, attempt: 2 };
  const agent = 'coder';
  const question = 'q';
  const started = { agent, driver: 'command', host: 'h', deadline_ms: 9 };
  const failed = { agent, outcome: 'failed', retry_at_ms: 1 } as const;
  const asked = { spec: { message: 'Go on?' } } as EventOf<'attempt.question_asked'>;
  const events: DomainEvent[] = [
    { type: 'agent.registered', agent, driver: 'command', capabilities: [], concurrency: 1 },
    { type: 'task.created', ...a, spec, request_sha256: '', waiting_for: [] },
    { type: 'task.claimed', ...one, agent },
    { type: 'attempt.started', ...one, ...started },
    { type: 'attempt.suspected', ...one, reason: 'silent' },
    { type: 'attempt.ended', ...one, ...failed },
    { type: 'task.due', ...a },
    { type: 'task.claimed', ...two, agent },
    { type: 'attempt.started', ...two, ...started },
    { ...asked, type: 'attempt.question_asked', ...two, agent, question, asked_at_ms: 1 },
    { type: 'attempt.wait_ended', ...two, reason: 'gone', deadline_ms: 9 },
    { type: 'attempt.suspected', ...two, reason: 'silent' },
    { type: 'attempt.wait_resumed', ...two, waiting_since_ms: 2 },
  ];
  for (const event of events) yield { event, transitions: host.apply(event) };
}

/** Asked for by both states that a redrive leaves; but who waits for a task has not been tried, hence not failed. */
const NEVER = ['task: failed -task.redriven-> scheduled'];

async function* goldenRecords(): AsyncIterable<Moved> {
  for (const { file } of await goldenHistories()) yield* readRecords(fileSource(file));
}

function edgesOf(kind: EntityKind): string[] {
  const { transitions } = graphOf(MACHINES[kind]);
  return transitions.map(({ from, to, event }) => `${kind}: ${from} -${event}-> ${to}`);
}

describe('the graphs of the machines', () => {
  it('have exactly the transitions that histories can make', async () => {
    const seen = new Set<string>();
    const note = (moved: Moved): void => {
      for (const change of changesIn(moved)) seen.add(change);
    };
    for (const moved of randomHistories()) note(moved);
    for (const moved of freedByItsDependency()) note(moved);
    for (const moved of suspectedAttempts()) note(moved);
    for await (const moved of goldenRecords()) note(moved);
    const drawn = new Set(ENTITY_KINDS.flatMap(edgesOf));
    expect([...seen].filter((change) => !drawn.has(change))).toEqual([]);
    expect([...drawn].filter((change) => !seen.has(change))).toEqual(NEVER);
  });

  it.each(ENTITY_KINDS)(
    '%s: begin in one state, end where nothing leads out, and reach every state',
    (kind) => {
      const { states, transitions } = graphOf(MACHINES[kind]);
      expect(states.map(({ name }) => name)).toEqual(Object.keys(MACHINES[kind].states));
      expect(states.filter((state) => state.kind === 'initial')).toEqual([{ name: 'new', kind: 'initial' }]);
      const left = new Set(transitions.map(({ from }) => from));
      const reached = new Set(transitions.map(({ to }) => to));
      for (const { name, kind: of } of states) {
        expect(left.has(name), name).toBe(of !== 'final');
        expect(reached.has(name), name).toBe(of !== 'initial');
      }
    },
  );

  it('name the guards, and the events as the log does', () => {
    const { states, transitions } = graphOf(MACHINES.task);
    expect(transitions.filter(({ from, event }) => from === 'working' && event === 'attempt.ended')).toEqual([
      { from: 'working', to: 'blocked', event: 'attempt.ended', guard: 'isWaitingParked' },
      { from: 'working', to: 'pending', event: 'attempt.ended', guard: 'isParked' },
      { from: 'working', to: 'review', event: 'attempt.ended', guard: 'isSuccess' },
      { from: 'working', to: 'scheduled', event: 'attempt.ended', guard: 'isRetried' },
      { from: 'working', to: 'failed', event: 'attempt.ended', guard: 'isOpenAttempt' },
    ]);
    const approval = { from: 'review', to: 'done', event: 'task.approved', guard: 'isUndecided' };
    expect(transitions).toContainEqual(approval);
    expect(states.filter(({ kind }) => kind === 'final').map(({ name }) => name)).toEqual([
      'done',
      'cancelled',
    ]);
  });
});
