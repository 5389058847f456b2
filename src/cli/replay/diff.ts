/** Changes between two moments, as text and as JSON. */
import type { Budgets } from '../../../projections/index.ts';
import { agentJson } from '../../app/agents/agents.ts';
import { pastHolderOf } from '../../app/budgets/budgets.ts';
import { attemptJson, commentJson, outputJson, timeOf } from '../../app/tasks/task-json.ts';
import { oneLine } from '../../base/text/printable.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import {
  type BoardChanges,
  boardOf,
  changesBetween,
  type StateChange,
  type TaskChanges,
} from '../../engine/replay/changes.ts';
import { type Moment, momentText } from '../../engine/replay/moment.ts';
import type { Place, Replay } from '../../engine/replay/replay.ts';
import type { OpenLog } from '../open-log.ts';
import { countText } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { Progress } from '../text/progress.ts';
import { placeJson, type Scope } from './scope.ts';

export interface DiffRequest {
  readonly log: OpenLog;
  readonly replay: Replay;
  readonly moments: readonly [Moment, Moment];
  readonly scope: Scope;
  readonly now: number;
  readonly json: true | undefined;
  /** Cleared before anything is printed. */
  readonly progress: Progress;
}

/** @throws SignalboxError `invalid_request` if the second moment is earlier, `no_such_moment` */
export async function showDiff(terminal: Terminal, request: DiffRequest): Promise<void> {
  const { replay, moments, scope, now, json, progress } = request;
  const [first, second] = moments;
  const from = await replay.advance(first, now);
  assertInOrder(first, from, second);
  const before = boardOf(replay.projections);
  const to = await replay.advance(second, now);
  progress.clear();
  const all = changesBetween(before, boardOf(replay.projections), scope.project);
  const changes =
    scope.task === undefined
      ? all
      : { agents: [], queues: [], tasks: all.tasks.filter(({ task }) => task.id === scope.task) };
  if (json) {
    const { budgets } = replay.projections;
    const body = changesJson(changes, budgets, request.log.contentDirectory);
    terminal.print(JSON.stringify({ from: placeJson(from), to: placeJson(to), ...body }, null, 2));
    return;
  }
  for (const line of changeLines(terminal, from, to, changes)) terminal.print(line);
}

/** @param from the place of the first moment */
function assertInOrder(first: Moment, from: Place, second: Moment): void {
  const isEarlier =
    second.kind === 'sequence'
      ? second.sequence < from.sequence
      : second.time < from.time || (first.kind === 'time' && second.time < first.time);
  if (!isEarlier) return;
  throw new SignalboxError(
    'invalid_request',
    `--diff: ${momentText(second)} is earlier than ${momentText(first)}: give the earlier moment first`,
  );
}

/** @param budgets at the second moment */
function changesJson(
  { tasks, agents, queues }: BoardChanges,
  budgets: Budgets,
  contentDirectory: string,
): object {
  return {
    tasks: tasks.map(({ task, state, outputs, comments, attempts }) => ({
      project: task.project,
      id: task.id,
      title: task.spec.title,
      created: isNew(state),
      status: state,
      outputs: outputs.map((output) => outputJson(output, contentDirectory)),
      comments: comments.map(commentJson),
      attempts: attempts.map(({ from, to, attempt }) => ({ from, to, ...attemptJson(attempt) })),
    })),
    agents: agents.map(({ from, to, agent }) => ({
      from,
      to,
      ...agentJson(agent, pastHolderOf(budgets, agent.id)),
    })),
    queues,
  };
}

function changeLines(
  terminal: Pick<Terminal, 'style'>,
  from: Place,
  to: Place,
  { tasks, agents, queues }: BoardChanges,
): string[] {
  const head = [
    `from event ${from.sequence}, ${timeOf(from.time)}`,
    `to event ${to.sequence}, ${timeOf(to.time)}: ${countText(to.sequence - from.sequence, 'event')}`,
  ];
  const blocks = tasks.map((each) => taskLines(terminal, each));
  const agentLines = agents.map(({ agent, ...change }) => `agent ${agent.id}: ${stepText(change)}`);
  if (agentLines.length > 0) blocks.push(agentLines);
  const queueLines = queues.map(({ queue, ...change }) => `queue ${queue}: ${stepText(change)}`);
  if (queueLines.length > 0) blocks.push(queueLines);
  if (blocks.length === 0) return [...head, '', 'nothing has changed'];
  return [...head, ...blocks.flatMap((lines) => ['', ...lines])];
}

function taskLines(
  terminal: Pick<Terminal, 'style'>,
  { task, state, outputs, comments, attempts }: TaskChanges,
): string[] {
  const title = terminal.style('bold', oneLine(task.spec.title));
  const changes = [
    ...(state === null ? [] : [isNew(state) ? `created; now ${state.to}` : stepText(state)]),
    ...attempts.map(({ attempt, ...change }) => {
      const error = attempt.error === null ? '' : ` (${oneLine(attempt.error)})`;
      return `attempt ${attempt.attempt} by ${attempt.agent}: ${stepText(change)}${error}`;
    }),
    ...outputs.map(
      ({ number, type, title, agent }) =>
        `output ${number}: ${type} "${oneLine(title)}" by ${oneLine(agent)}`,
    ),
    ...comments.map(({ author, body }) => `comment by ${oneLine(author)}: ${oneLine(body)}`),
  ];
  if (changes.length === 0) changes.push(`still ${task.state}, changed by event ${task.lastSequence}`);
  return [
    `${taskKey({ project: task.project, task: task.id })} ${title}`,
    ...changes.map((line) => `  ${line}`),
  ];
}

function isNew(change: StateChange | null): boolean {
  return change !== null && change.from === null;
}

/** As in `pending → working`; only the new state if there was none before. */
function stepText({ from, to }: StateChange): string {
  return from === null ? to : `${from} → ${to}`;
}
