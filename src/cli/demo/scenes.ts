/** What the demo shows: the tasks, what a person says of their results, and how each has to end. */
import type { NewTask } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import type { AttemptOutcome, TaskState } from '../../contracts/tasks.ts';
import { killProblem } from './kill-check.ts';

export interface Scene {
  readonly task: NewTask & { readonly id: string };
  /** What to look at, in one line. */
  readonly about: string;
  /** What a person says each time that the task is in review. */
  readonly reviews?: readonly Review[];
  readonly ends: { readonly state: TaskState; readonly outcomes: readonly AttemptOutcome[] };
  /** What else has to be true: null, or what is wrong. */
  readonly check?: (task: TaskAnswer) => string | null;
}

export type Review =
  | { readonly decision: 'approve'; readonly comment: string }
  | { readonly decision: 'reject'; readonly comment: string };

/** What the rejection of the analysis asks for. */
const WANTED_GROUP = 'task_type';

export const SCENES: readonly Scene[] = [
  {
    task: {
      id: 'review',
      title: 'Review this repository',
      description: 'Read the sources and the git history, and report findings with file and line.',
      type: 'code_review',
      review: 'manual',
      priority: 'high',
    },
    about: 'reads this repository, sources and git history; a person approves',
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
    about: 'analyses the CSV; a person sends it back, and the second attempt heeds the comment',
    reviews: [
      {
        decision: 'reject',
        comment: `By kind of task tells me more than by agent.\ngroup_by: ${WANTED_GROUP}`,
      },
      { decision: 'approve', comment: 'That is what I wanted to see.' },
    ],
    ends: { state: 'done', outcomes: ['completed', 'completed'] },
    check: ({ outputs = [] }) =>
      outputs.some(({ attempt, title }) => attempt === 2 && title.includes(`by ${WANTED_GROUP}`))
        ? null
        : 'the second attempt did not heed the comment of the rejection',
  },
  {
    task: { id: 'changelog', title: 'Write the changelog', agent: 'historian' },
    about: 'writes a changelog from the git history, or an outline where there is none',
    ends: { state: 'done', outcomes: ['completed'] },
  },
  {
    task: { id: 'usage', title: 'Add up the usage of agents', agent: 'accountant' },
    about: 'fails at a broken line; the retry is told why, and goes another way',
    ends: { state: 'done', outcomes: ['failed', 'completed'] },
    check: ({ comments = [] }) =>
      comments.some(({ author }) => author === 'accountant')
        ? null
        : 'the retry did not say what it has learnt',
  },
  {
    task: {
      id: 'hang',
      title: 'Hang for ever',
      agent: 'sleeper',
      outputs: 'optional',
      params: { own_session: true },
      max_attempts: 1,
      priority: 'high',
    },
    about: 'hangs, ignores SIGTERM, has a child in another session: is suspected, killed and proved dead',
    ends: { state: 'failed', outcomes: ['timed_out'] },
    check: ({ attempts = [], events = [] }) =>
      events.some(({ event }) => event.type === 'attempt.suspected')
        ? killProblem(attempts[0])
        : 'it was not suspected before it was killed',
  },
  {
    task: { id: 'words', title: 'Count words', agent: 'counter' },
    about: 'a plain program: what it prints is its output',
    ends: { state: 'done', outcomes: ['completed'] },
  },
];

/** All that is not as it has to be at the end of a scene. */
export function problemsOf(scene: Scene, task: TaskAnswer): string[] {
  const { state, outcomes } = scene.ends;
  const attempts = task.attempts ?? [];
  const found = attempts.map(({ outcome, status: now }) => outcome ?? now);
  const problems = [
    task.status === state ? null : `it is ${task.status} instead of ${state}`,
    found.join() === outcomes.join()
      ? null
      : `its attempts ended ${found.join(', ')} instead of ${outcomes.join(', ')}`,
    state !== 'done' || (task.outputs ?? []).length > 0 ? null : 'it has no output',
    scene.check?.(task) ?? null,
  ];
  return problems.filter((problem) => problem !== null);
}
