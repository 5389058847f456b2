/** Differences between two moments: tasks with their outputs, comments and attempts, agents, and queues. */
import type {
  AgentView,
  AttemptView,
  CommentView,
  OutputView,
  PausedQueue,
  Projections,
  TaskView,
} from '../../../projections/index.ts';

/** A copy of the tables; their entries never change. */
export interface Board {
  readonly tasks: ReadonlyMap<string, TaskView>;
  readonly attempts: ReadonlyMap<string, readonly AttemptView[]>;
  readonly agents: ReadonlyMap<string, AgentView>;
  readonly queues: ReadonlyMap<string, PausedQueue>;
}

export function boardOf({ blackboard, attempts, agents, queues }: Projections): Board {
  return {
    tasks: new Map(blackboard.tasks),
    attempts: new Map(attempts.byTask),
    agents: new Map(agents.byId),
    queues: new Map(queues.paused),
  };
}

/** `from` is null if the entity did not exist before. */
export interface StateChange {
  readonly from: string | null;
  readonly to: string;
}

export interface AttemptChange extends StateChange {
  readonly attempt: AttemptView;
}

export interface TaskChanges {
  readonly task: TaskView;
  /** null if its state is the same; it may have changed and come back meanwhile. */
  readonly state: StateChange | null;
  readonly outputs: readonly OutputView[];
  readonly comments: readonly CommentView[];
  readonly attempts: readonly AttemptChange[];
}

export interface AgentChange extends StateChange {
  readonly agent: AgentView;
}

export interface QueueChange extends StateChange {
  /** `agent:<id>` or `type:<name>`. */
  readonly queue: string;
}

export interface BoardChanges {
  /** The changed tasks, in the order of creation. */
  readonly tasks: readonly TaskChanges[];
  readonly agents: readonly AgentChange[];
  readonly queues: readonly QueueChange[];
}

/** @param project only tasks of this project, and neither agents nor queues; default: everything */
export function changesBetween(before: Board, after: Board, project?: string): BoardChanges {
  const tasks: TaskChanges[] = [];
  for (const [key, task] of after.tasks) {
    if (project !== undefined && task.project !== project) continue;
    const earlier = before.tasks.get(key);
    const attempts = attemptChanges(before.attempts.get(key), after.attempts.get(key));
    if (task === earlier && attempts.length === 0) continue;
    tasks.push({
      task,
      state: stateChange(earlier?.state, task.state),
      outputs: task.outputs.slice(earlier?.outputs.length ?? 0),
      comments: task.comments.slice(earlier?.comments.length ?? 0),
      attempts,
    });
  }
  if (project !== undefined) return { tasks, agents: [], queues: [] };
  return { tasks, agents: agentChanges(before, after), queues: queueChanges(before, after) };
}

function attemptChanges(
  before: readonly AttemptView[] = [],
  after: readonly AttemptView[] = [],
): AttemptChange[] {
  return after.flatMap((attempt, index) => {
    const change = stateChange(before[index]?.state, attempt.state);
    return change === null ? [] : [{ ...change, attempt }];
  });
}

function agentChanges(before: Board, after: Board): AgentChange[] {
  return [...after.agents.values()].flatMap((agent) => {
    const change = stateChange(before.agents.get(agent.id)?.state, agent.state);
    return change === null ? [] : [{ ...change, agent }];
  });
}

function queueChanges(before: Board, after: Board): QueueChange[] {
  const stateIn = ({ queues }: Board, queue: string): string => (queues.has(queue) ? 'paused' : 'open');
  return [...new Set([...before.queues.keys(), ...after.queues.keys()])].flatMap((queue) => {
    const change = stateChange(stateIn(before, queue), stateIn(after, queue));
    return change === null ? [] : [{ ...change, queue }];
  });
}

function stateChange(from: string | undefined, to: string): StateChange | null {
  return from === to ? null : { from: from ?? null, to };
}
