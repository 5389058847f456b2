/** The board: a small card for each relevant task, at present and in the past, and its changes. */

import type { AttemptHistory, Blackboard, PastStates, TaskView } from '../../../projections/index.ts';
import { cutText } from '../../base/text/cut-text.ts';
import {
  type BoardAnswer,
  type BoardCard,
  type BoardChange,
  NOTE_LENGTH,
  SETTLED_CARDS,
} from '../../contracts/api/board.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { viewKey } from '../../engine/runtime/views.ts';
import { agentJson, listAgents } from '../agents/agents.ts';
import { budgetNotices, pastHolderOf } from '../budgets/budgets.ts';
import type { AppContext } from '../context.ts';
import type { Batch } from '../events/event-feed.ts';
import { eventJson, timeOf } from '../tasks/task-json.ts';
import { figuresJson } from '../tasks/usage-json.ts';

interface BoardState {
  readonly blackboard: Pick<Blackboard, 'tasks'>;
  readonly attempts: Pick<AttemptHistory, 'byTask'>;
}

/** Cards of all unsettled tasks, and of the newest tasks of each settled state. @param project default: all */
function cardsOf(state: BoardState, project?: string): BoardCard[] {
  const shown: TaskView[] = [];
  const settled = new Map<TaskState, TaskView[]>();
  for (const task of state.blackboard.tasks.values()) {
    if (project !== undefined && task.project !== project) continue;
    if (!SETTLED_STATES.has(task.state)) shown.push(task);
    else if (!settled.get(task.state)?.push(task)) settled.set(task.state, [task]);
  }
  for (const tasks of settled.values()) shown.push(...tasks.sort(newestFirst).slice(0, SETTLED_CARDS));
  return shown.map((task) => cardOf(state, task));
}

/** The younger task first if both settled at the same time: the order is deterministic. */
function newestFirst(a: TaskView, b: TaskView): number {
  return (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || b.createdSequence - a.createdSequence;
}

function cardOf({ attempts }: BoardState, task: TaskView): BoardCard {
  const { spec, openAttempt } = task;
  const open = openAttempt === null ? undefined : attempts.byTask.get(viewKey(task))?.[openAttempt - 1];
  return {
    project: task.project,
    id: task.id,
    title: spec.title,
    status: task.state,
    type: spec.type ?? null,
    priority: spec.priority,
    agent: task.agent ?? spec.agent ?? null,
    attempt: task.attempts,
    attempts_used: task.attemptsUsed,
    max_attempts: spec.max_attempts,
    attempt_status: open?.state ?? null,
    deadline: timeOf(open?.deadline ?? null),
    review: spec.review,
    ...noteOf(task),
    due_at: task.state === 'scheduled' ? timeOf(task.dueAt) : null,
    open_questions: task.openQuestions.length,
    ...costOf(task),
    outputs: task.outputs.length,
    comments: task.comments.length,
    created_at: timeOf(task.createdAt),
    updated_at: timeOf(task.updatedAt),
    finished_at: timeOf(task.finishedAt),
    sequence: task.lastSequence,
  };
}

function noteOf({ state, outputs, reason, progress }: TaskView): Pick<BoardCard, 'note' | 'note_kind'> {
  const output = outputs.at(-1);
  const result = state === 'review' ? (output?.summary ?? output?.content) : undefined;
  if (result) return { note: cutText(result, NOTE_LENGTH, '…'), note_kind: 'result' };
  const text = reason ?? progress;
  if (text === null) return { note: null, note_kind: null };
  return { note: cutText(text, NOTE_LENGTH, '…'), note_kind: reason === null ? 'progress' : 'reason' };
}

function costOf({ usage }: TaskView): Pick<BoardCard, 'cost_usd' | 'attempts_without_cost'> {
  if (usage === null) return { cost_usd: null, attempts_without_cost: 0 };
  const { cost_usd, attempts_without_cost } = figuresJson(usage);
  return { cost_usd, attempts_without_cost };
}

/** @param project limits the cards; counts and agents are always those of all projects */
export function readBoard(app: AppContext, project?: string): BoardAnswer {
  const { projections } = app.state;
  const { sequence, blackboard } = projections;
  return {
    sequence,
    time: sequence === 0 ? null : timeOf(app.environment.clock.now()),
    counts: { ...blackboard.counts },
    cards: cardsOf(projections, project),
    agents: listAgents(app),
    budgets: budgetNotices(projections.budgets),
  };
}

/** The board at a moment of the past. @param record the last event in the state */
export function pastBoard(state: PastStates, record: StoredRecord, project?: string): BoardAnswer {
  return {
    sequence: record.sequence,
    time: timeOf(record.time),
    counts: { ...state.blackboard.counts },
    cards: cardsOf(state, project),
    agents: [...state.agents.byId.values()].map((agent) =>
      agentJson(agent, pastHolderOf(state.budgets, agent.id)),
    ),
    budgets: budgetNotices(state.budgets),
    event: eventJson(record),
  };
}

const AGENT_EVENTS = /^(?:agent\..*|budget\..*|task\.claimed|attempt\.ended)$/;

/**
 * The present cards of the tasks that a batch has changed: a card may be newer than the batch, never older. Tasks that
 * have left memory are left out: they settled long ago.
 */
export function boardChange(app: AppContext, { events, upTo }: Batch): BoardChange {
  const { projections } = app.state;
  const touched = new Set(
    events.flatMap(({ project, task }) =>
      project === null || task === null ? [] : taskKey({ project, task }),
    ),
  );
  const cards = [...touched].flatMap((key) => {
    const task = projections.blackboard.tasks.get(key);
    return task ? cardOf(projections, task) : [];
  });
  const hasAgents = events.some(({ type }) => AGENT_EVENTS.test(type));
  const hasBudgets = events.some(({ type }) => type.startsWith('budget.'));
  return {
    sequence: upTo,
    counts: { ...projections.blackboard.counts },
    cards,
    ...(hasAgents && { agents: listAgents(app) }),
    ...(hasBudgets && { budgets: budgetNotices(projections.budgets) }),
  };
}
