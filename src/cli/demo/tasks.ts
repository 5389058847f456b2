/** The tasks of the demo, the decisions of its reviewer, and how each task must end. */

import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { NewTask, SignalboxClient } from '../../client/client.ts';
import type { AttemptAnswer, TaskAnswer } from '../../contracts/api/answers.ts';
import { type AttemptOutcome, SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { createHost } from '../../process/host/host.ts';
import { findAlive } from '../../process/host/process-table.ts';
import { killOf } from '../task/attempt-text.ts';

export interface DemoTask {
  readonly task: NewTask & { readonly id: string };
  /** What the task shows, in one line. */
  readonly about: string;
  /** Decisions of the reviewer, one for each time that the task is in review. */
  readonly reviews?: readonly Review[];
  readonly ends: { readonly state: TaskState; readonly outcomes: readonly AttemptOutcome[] };
  /** A further check: null, or the problem. */
  readonly check?: (task: TaskAnswer) => string | null;
}

export type Review =
  | { readonly decision: 'approve'; readonly comment: string }
  | { readonly decision: 'reject'; readonly comment: string };

/** The column that the rejection of the analysis asks for. */
const WANTED_GROUP = 'task_type';

export const DEMO_TASKS: readonly DemoTask[] = [
  {
    task: {
      id: 'review',
      title: 'Review this repository',
      description: 'Read the sources and the git history, and report findings with file and line.',
      type: 'code_review',
      review: 'manual',
      priority: 'high',
    },
    about: 'reads the sources and git history of this repository; a reviewer approves',
    reviews: [{ decision: 'approve', comment: 'Thank you: the findings name file and line.' }],
    ends: { state: 'done', outcomes: ['completed'] },
    check: ({ outputs = [] }) =>
      outputs.some(({ content }) => content?.includes('source file'))
        ? null
        : 'the review names no source files',
  },
  {
    task: {
      id: 'analysis',
      title: 'How long do the agent runs take?',
      description: 'Analyse examples/data/agent-runs.csv.',
      type: 'data_analysis',
      review: 'manual',
      params: { file: 'examples/data/agent-runs.csv', group_by: 'agent', value: 'duration_seconds' },
    },
    about: 'analyses a CSV file; a reviewer rejects it, and the second attempt follows the comment',
    reviews: [
      {
        decision: 'reject',
        comment: `Please group by type of task, not by agent.\ngroup_by: ${WANTED_GROUP}`,
      },
      { decision: 'approve', comment: 'That answers my question.' },
    ],
    ends: { state: 'done', outcomes: ['completed', 'completed'] },
    check: ({ outputs = [] }) =>
      outputs.some(({ attempt, title }) => attempt === 2 && title.includes(`by ${WANTED_GROUP}`))
        ? null
        : 'the second attempt did not follow the comment of the rejection',
  },
  {
    task: { id: 'changelog', title: 'Write the changelog', agent: 'historian' },
    about: 'writes a changelog from the git history, or an outline without one',
    ends: { state: 'done', outcomes: ['completed'] },
  },
  {
    task: { id: 'usage', title: 'Add up the usage of agents', agent: 'accountant' },
    about: 'fails on a malformed line; the retry gets the error and skips the line',
    ends: { state: 'done', outcomes: ['failed', 'completed'] },
    check: ({ comments = [] }) =>
      comments.some(({ author }) => author === 'accountant')
        ? null
        : 'the retry did not report what it learned',
  },
  {
    task: {
      id: 'hang',
      title: 'Hang forever',
      agent: 'sleeper',
      outputs: 'optional',
      params: { own_session: true },
      max_attempts: 1,
      priority: 'high',
    },
    about:
      'hangs, ignores SIGTERM, has a child in another session: is suspected, killed, and proved to be gone',
    ends: { state: 'failed', outcomes: ['timed_out'] },
    check: ({ attempts = [], events = [] }) =>
      events.some(({ event }) => event.type === 'attempt.suspected')
        ? problemOfKill(attempts[0])
        : 'it was not suspected before the kill',
  },
  {
    task: { id: 'words', title: 'Count words', agent: 'counter' },
    about: 'a plain program: its standard output is the output of the task',
    ends: { state: 'done', outcomes: ['completed'] },
  },
];

/** Problems of a task at its end. */
export function problemsOf(demoTask: DemoTask, task: TaskAnswer): string[] {
  const { state, outcomes } = demoTask.ends;
  const attempts = task.attempts ?? [];
  const found = attempts.map(({ outcome, status: now }) => outcome ?? now);
  const problems = [
    task.status === state ? null : `it is ${task.status} instead of ${state}`,
    found.join() === outcomes.join()
      ? null
      : `its attempts ended ${found.join(', ')} instead of ${outcomes.join(', ')}`,
    state !== 'done' || (task.outputs ?? []).length > 0 ? null : 'it has no output',
    demoTask.check?.(task) ?? null,
  ];
  return problems.filter((problem) => problem !== null);
}

/** Checks that, by the evidence and by the process table, the agent and its child are gone. @returns null if so */
function problemOfKill(attempt: AttemptAnswer | undefined): string | null {
  const kill = attempt === undefined ? null : killOf(attempt);
  if (kill === null) return 'there is no evidence of the kill';
  if (kill.survivors !== 'unknown' && kill.survivors > 0)
    return `${kill.survivors} processes survived the kill`;
  if (kill.processCount < 2) return 'the child of the agent was not found';
  const { table } = createHost(pino({ level: 'silent' }), Date.now);
  const alive = kill.processes.filter((process) => findAlive(table, process) !== undefined);
  return alive.length === 0
    ? null
    : `still alive after the kill: pid ${alive.map(({ pid }) => pid).join(', ')}`;
}

export const PROJECT = 'demo';
const NAME = 'demo-person';

const POLL_MS = 250;
/** Time limit of the demo. */
const MAX_DEMO_MS = 120_000;

export async function createTasks(client: SignalboxClient, demoTasks: readonly DemoTask[]): Promise<void> {
  for (const { task } of demoTasks) await client.createTask({ project: PROJECT, ...task, source: NAME });
}

/** Reviews tasks until all have settled and no attempt is open, or the time limit is reached. */
export async function reviewTasks(
  client: SignalboxClient,
  demoTasks: readonly DemoTask[],
  signal: AbortSignal,
): Promise<void> {
  const reviews = new Map(demoTasks.map(({ task, reviews: decisions = [] }) => [task.id, [...decisions]]));
  const deadline = performance.now() + MAX_DEMO_MS;
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
    await sleep(POLL_MS, undefined, { signal });
  }
}

function isOver({ status, open_attempt }: TaskAnswer): boolean {
  return SETTLED_STATES.has(status) && open_attempt === null;
}

export function readAll(client: SignalboxClient, demoTasks: readonly DemoTask[]): Promise<TaskAnswer[]> {
  return Promise.all(
    demoTasks.map(({ task }) => client.readTask({ project: PROJECT, task: task.id, expand: ['all'] })),
  );
}
