import { describe, expect, it } from 'vitest';
import type { AgentView, AttemptView, TaskView } from '../../../projections/index.ts';
import type { Situation, Taker } from '../../../src/app/tasks/situation.ts';
import { explain } from '../../../src/app/tasks/why.ts';
import { TASK_STATES, type TaskState } from '../../../src/contracts/tasks.ts';

const LATER = Date.UTC(2030, 0, 31, 12);
const LATER_TEXT = '2030-01-31T12:00:00.000Z';

const spec: TaskView['spec'] = {
  title: 'a task',
  description: '',
  priority: 5,
  agent: 'ann',
  max_attempts: 3,
  backoff: { initial_seconds: 1, factor: 2, max_seconds: 10, jitter: 0 },
  review: 'auto',
  outputs: 'required',
};

function task(state: TaskState, changes: Partial<Omit<TaskView, 'spec'>> = {}, specs: object = {}): TaskView {
  return {
    project: 'demo',
    id: 'a',
    spec: { ...spec, ...specs },
    edits: 0,
    editedIn: null,
    requestSha256: '',
    state,
    version: 1,
    agent: null,
    attempts: 0,
    attemptsUsed: changes.attempts ?? 0,
    openAttempt: null,
    lastOutcome: null,
    hasStarted: false,
    usage: null,
    reason: null,
    reasonSequence: null,
    progress: null,
    progressSequence: null,
    openQuestions: [],
    goesFirst: false,
    givenBack: false,
    cancelsChildren: false,
    merging: false,
    dueAt: null,
    outputs: [],
    comments: [],
    createdAt: 0,
    updatedAt: 0,
    finishedAt: null,
    createdSequence: 1,
    lastSequence: 1,
    ...changes,
  };
}

function attempt(state: string, changes: Partial<AttemptView> = {}): AttemptView {
  return {
    project: 'demo',
    task: 'a',
    attempt: 1,
    agent: 'ann',
    state,
    tokenSha256: null,
    driver: 'command',
    host: 'here',
    pid: 7,
    startTime: null,
    claimedAt: 0,
    startedAt: 0,
    endedAt: null,
    deadline: LATER,
    silentUntil: null,
    waitedMs: 0,
    stopReason: null,
    outcome: null,
    exitCode: null,
    signal: null,
    error: null,
    stderrTail: null,
    peakMemoryBytes: null,
    cpuMs: null,
    usage: null,
    session: null,
    evidence: null,
    transcript: null,
    endedSequence: null,
    rejected: [],
    ...changes,
  };
}

function taker(state: string, changes: Partial<AgentView> = {}): Taker {
  const agent: AgentView = {
    id: 'ann',
    driver: 'command',
    capabilities: [],
    concurrency: 2,
    state,
    since: 0,
    running: 0,
    failures: 0,
    parkedUntil: null,
    reason: null,
    by: null,
    ...changes,
  };
  return { id: agent.id, agent, budget: null };
}

function situation(of: TaskView, changes: Partial<Situation> = {}): Situation {
  return {
    task: of,
    attempt: null,
    questions: [],
    dependencies: [],
    awaitedChildren: [],
    review: null,
    failedChildren: [],
    blockedBy: null,
    silentUntil: null,
    takers: [taker('idle')],
    hasSession: false,
    queue: { ahead: 0, length: 1, ofOtherProjects: 0 },
    pausedQueue: null,
    budget: null,
    limits: { open: 0, concurrency: 10, openInProject: 0, projectConcurrency: 10 },
    logTrouble: null,
    isDraining: false,
    ...changes,
  };
}

const kindsOf = (of: Situation): string[] => explain(of).waits_for.map(({ kind }) => kind);
const pending = (changes: Partial<Situation>) => situation(task('pending'), changes);

describe('why a task waits', () => {
  it('names at least one reason in every state that a task can leave, and none in the others', () => {
    for (const state of TASK_STATES) {
      const isSettled = ['done', 'failed', 'cancelled', 'expired'].includes(state);
      const { waits_for, summary, next } = explain(situation(task(state)));
      expect([state, waits_for.length > 0]).toEqual([state, !isSettled]);
      expect(summary).toContain(`task a is ${state === 'review' ? 'in review' : state}`);
      expect(next).not.toBe('');
    }
  });

  it('scheduled: for a time, a retry, or other tasks', () => {
    const time = explain(situation(task('scheduled', { dueAt: LATER })));
    expect(time.waits_for).toMatchObject([{ kind: 'time', until: LATER_TEXT }]);
    expect(time.next).toContain(LATER_TEXT);

    const failed = task('scheduled', { dueAt: LATER, attempts: 1, reason: 'no luck' });
    const retry = explain(situation(failed, { attempt: attempt('stopping') }));
    expect(retry.waits_for).toMatchObject([{ kind: 'running' }, { kind: 'retry', until: LATER_TEXT }]);
    expect(retry.summary).toContain('attempt 2 of 3');
    expect(retry.summary).toContain('no luck');

    const dependencies = [{ id: 'b', state: 'working' }];
    const depending = explain(situation(task('scheduled'), { dependencies }));
    expect(depending.waits_for).toMatchObject([{ kind: 'dependency', tasks: ['b'] }]);
    expect(depending.summary).toBe('task a is scheduled: it depends on task b, which is working');
    const both = explain(situation(task('scheduled', { dueAt: LATER }), { dependencies }));
    expect(both.next).toMatch(`at ${LATER_TEXT} and when its dependencies are done it becomes pending`);
  });

  it.each([
    ['busy', taker('busy', { running: 2 }), 'agent_busy', '2 of 2'],
    ['paused', taker('paused', { reason: 'holiday' }), 'agent_paused', 'holiday'],
    ['draining', taker('draining', { running: 1 }), 'agent_paused', 'draining'],
    ['parked', taker('parked', { parkedUntil: LATER, reason: '5 failed' }), 'agent_parked', '5 failed'],
    ['probing', taker('probing', { running: 1 }), 'agent_parked', 'one attempt'],
    ['offline', taker('offline'), 'agent_offline', 'offline'],
    ['not registered', { id: 'ann', agent: null, budget: null }, 'agent_offline', 'offline'],
  ] as const)('pending: its agent is %s', (_, held, kind, text) => {
    const { waits_for, summary } = explain(pending({ takers: [held] }));
    expect(waits_for).toMatchObject([{ kind, agent: 'ann' }]);
    expect(summary).toContain(text);
    expect(waits_for[0]?.until).toBe(
      kind === 'agent_parked' && held.agent?.parkedUntil ? LATER_TEXT : undefined,
    );
  });

  it('pending: names no unavailable agents while one is free', () => {
    expect(kindsOf(pending({ takers: [taker('paused'), taker('busy', { running: 1 })] }))).toEqual(['queue']);
  });

  it('its queue is paused: by whom, since when, why, and how to resume it', () => {
    const paused = { queue: 'type:review', since: LATER, by: 'mia', reason: 'too dear' };
    const detail = `the queue of type review is paused by mia since ${LATER_TEXT} (too dear)`;
    const resume = 'the queue is resumed: "signalbox queue resume type review"';
    const waiting = explain(pending({ pausedQueue: paused }));
    expect(waiting.waits_for).toEqual([{ kind: 'queue_paused', detail }]);
    expect(waiting.next).toBe(`nothing, until ${resume}`);
    const unexplained = explain(pending({ pausedQueue: { ...paused, reason: null } }));
    expect(unexplained.summary).toBe(`task a is pending: ${detail.replace(' (too dear)', '')}`);
    const scheduled = explain(situation(task('scheduled', { dueAt: LATER }), { pausedQueue: paused }));
    expect(scheduled.waits_for).toMatchObject([{ kind: 'time' }, { kind: 'queue_paused' }]);
    expect(scheduled.next).toBe(`at ${LATER_TEXT} it becomes pending, and waits until ${resume}`);
    expect(kindsOf(pending({ pausedQueue: paused, takers: [] }))).toEqual(['queue_paused', 'no_agent']);
  });

  it('pending: no agent can do it, and which one is missing', () => {
    const byType = situation(task('pending', {}, { agent: undefined, type: 'review' }), { takers: [] });
    expect(explain(byType)).toMatchObject({
      waits_for: [{ kind: 'no_agent', detail: 'no agent in the configuration has the capability review' }],
      next: 'nothing, until an agent with the capability review is in the configuration',
    });
    expect(explain(pending({ takers: [] })).summary).toContain('agent ann is not in the configuration');
  });

  it('pending: limits, the queue, the shutdown and the log', () => {
    const limits = { open: 10, concurrency: 10, openInProject: 4, projectConcurrency: 4 };
    expect(kindsOf(pending({ limits }))).toEqual(['global_limit', 'project_limit']);
    const queue = { ahead: 3, length: 9, ofOtherProjects: 2 };
    const queued = explain(pending({ queue }));
    expect(queued.waits_for).toMatchObject([
      { kind: 'queue', detail: '3 tasks go first, by priority and age' },
    ]);
    expect(queued.next).toContain('projects take turns');
    expect(kindsOf(pending({ isDraining: true }))).toEqual(['draining']);
    expect(kindsOf(pending({ logTrouble: 'unreachable' }))).toEqual(['queue', 'log']);
  });

  it('pending: says when it expires, but not after an attempt', () => {
    const expiring = { expires_at_ms: LATER };
    expect(explain(situation(task('pending', {}, expiring))).next).toContain(`expires at ${LATER_TEXT}`);
    expect(explain(situation(task('pending', { attempts: 1 }, expiring))).next).not.toContain('expires');
  });

  it('claimed and working: for the attempt, with its deadline, and whether it is suspected or being stopped', () => {
    const of = (state: TaskState, run: AttemptView) =>
      explain(situation(task(state, { attempts: 1, openAttempt: 1 }), { attempt: run }));
    expect(of('claimed', attempt('requested', { deadline: null })).waits_for).toMatchObject([
      { kind: 'running', agent: 'ann', attempt: 1, until: undefined },
    ]);
    expect(of('working', attempt('running')).waits_for).toMatchObject([
      { kind: 'running', until: LATER_TEXT },
    ]);
    expect(of('working', attempt('suspected')).summary).toContain('has been silent for a while');
    const soon = { attempt: attempt('suspected'), silentUntil: LATER - 60_000 };
    const hung = explain(situation(task('working', { attempts: 1, openAttempt: 1 }), soon));
    expect(hung.waits_for).toMatchObject([{ until: '2030-01-31T11:59:00.000Z' }]);
    expect(hung.next).toContain(
      `is stopped at 2030-01-31T11:59:00.000Z if it shows no sign of life until then, or at ${LATER_TEXT};`,
    );
    expect(of('working', attempt('stopping', { stopReason: 'timeout' })).summary).toContain('(timeout)');
  });

  it('review: for a user, for children that it joins, or for its own process', () => {
    expect(kindsOf(situation(task('review', {}, { review: 'manual' })))).toEqual(['review']);
    const children = ['b', 'c'].map((id) => ({ ...task('working'), id }));
    const joining = situation(task('review', {}, { join: true }), { awaitedChildren: children });
    expect(explain(joining).waits_for).toMatchObject([{ kind: 'children', tasks: ['b', 'c'] }]);
    const failedChildren = [
      { ...task('failed', { reason: 'no luck' }), id: 'c' },
      { ...task('cancelled'), id: 'd' },
    ];
    const joined = explain(situation(task('review', {}, { join: true }), { failedChildren }));
    expect(joined.waits_for).toMatchObject([{ kind: 'review', tasks: ['c', 'd'] }]);
    expect(joined.summary).toContain('task c is failed (no luck), task d is cancelled');
    expect(joined.next).toContain('or task c is retried and done: "signalbox task retry c --project demo"');
    expect(joined.next).toContain('"signalbox task approve a --project demo"');
    expect(kindsOf(situation(task('review'), { attempt: attempt('running') }))).toEqual(['running']);
    expect(kindsOf(situation(task('review')))).toEqual(['log']);
  });

  it('blocked: for a user, and for the dependencies that failed', () => {
    const asked = explain(situation(task('blocked', { attempts: 1, reason: 'which one?' })));
    expect(asked.waits_for).toEqual([{ kind: 'person', detail: 'which one?' }]);
    expect(asked.next).toBe('a user unblocks it: "signalbox task unblock a --project demo"');
    const dependencies = [{ id: 'b', state: 'failed' }];
    expect(kindsOf(situation(task('blocked'), { dependencies }))).toEqual(['dependency', 'person']);
    const reason = 'it depends on task b, which is failed';
    const blocked = explain(situation(task('blocked', { reason }), { dependencies, blockedBy: 'b' }));
    expect(blocked.summary).toBe(`task a is blocked: ${reason}`);
    expect(blocked.next).toBe(
      'task b is retried and done: "signalbox task retry b --project demo", or a user unblocks it: "signalbox task unblock a --project demo"',
    );
  });

  it('settled: for nothing but a process that has yet to end, and how to redrive it', () => {
    expect(kindsOf(situation(task('cancelled'), { attempt: attempt('stopping') }))).toEqual(['running']);
    expect(explain(situation(task('failed'))).next).toContain('signalbox task retry a --project demo');
    expect(explain(situation(task('done'))).summary).toBe('task a is done');
  });
});
