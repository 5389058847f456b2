/** All projections, and the state that they form together. */
import { canonicalJson } from '../src/base/canonical-json.ts';
import type { StoredRecord } from '../src/contracts/events/events.ts';
import { agents } from './agents.ts';
import { attemptHistory } from './attempts.ts';
import { blackboard } from './blackboard.ts';
import { budgets } from './budgets.ts';
import type { Entries, KeptProjection, PastProjection, Piece } from './projection.ts';
import { questions } from './questions.ts';
import { queues } from './queues.ts';
import { schedules } from './schedules.ts';
import { steering } from './steering.ts';
import { throughput } from './throughput.ts';
import { usage } from './usage.ts';
import { workspaces } from './workspaces.ts';

export { type Agents, type AgentView, agents } from './agents.ts';
export { type AttemptHistory, type AttemptView, attemptHistory } from './attempts.ts';
export {
  type Blackboard,
  blackboard,
  type CommentView,
  type OutputView,
  type TaskView,
} from './blackboard.ts';
export { type Budgets, type BudgetView, budgets } from './budgets.ts';
export type { Piece, Projection } from './projection.ts';
export {
  openQuestions,
  type QuestionAnswer,
  type Questions,
  type QuestionView,
  questionOf,
  questions,
  questionsOf,
  type RuleView,
  rulesFor,
} from './questions.ts';
export { type PausedQueue, type Queues, queues } from './queues.ts';
export { type ScheduleRun, type ScheduleView, schedules } from './schedules.ts';
export { messagesOf, type Steering, type SteeringMessage, steering, undelivered } from './steering.ts';
export { type Throughput, throughput } from './throughput.ts';
export { type UsageEntry, type UsageState, usage } from './usage.ts';
export { type WorkspaceView, workspaces } from './workspaces.ts';

/** Every projection, in the order in which they evolve. The name of each is its key. */
export const PROJECTIONS = {
  blackboard,
  attempts: attemptHistory,
  agents,
  queues,
  schedules,
  budgets,
  throughput,
  usage,
  questions,
  steering,
  workspaces,
} as const;

type Registry = typeof PROJECTIONS;
type StateOf<Kept> = Kept extends KeptProjection<infer State> ? State : never;
export type ProjectionStates = { readonly [Name in keyof Registry]: StateOf<Registry[Name]> };

/** The states that are also shown as they were in the past. */
export type PastStates = {
  readonly [Name in keyof Registry as Registry[Name] extends PastProjection<StateOf<Registry[Name]>>
    ? Name
    : never]: StateOf<Registry[Name]>;
};

/** The same without the types of the states: each projection must be given the state that it made. */
const ALL = Object.entries<KeptProjection<unknown>>(PROJECTIONS);
const PAST = ALL.filter(([, { copy }]) => copy !== undefined);

/** The state of every projection, kept up to date. */
export type Projections = ProjectionStates & {
  /** Sequence of the last record that was applied. */
  sequence: number;
  /** From here on an entry that a reader holds stays as it is. */
  handOut(): void;
  evolve(record: StoredRecord): void;
  /** Removes a settled task, given by its key. */
  forgetTask(task: string): void;
  /** Canonical JSON of everything: equal states give equal texts. */
  toText(): string;
  /** Everything as plain data, by name. */
  toJSON(): Record<string, unknown>;
  /** The pieces of one task, for comparison. */
  piecesOf(task: string): Piece[];
  /** The pieces that belong to no task of the blackboard. */
  otherPieces(): Piece[];
};

/** @param entries `unseen` for a rebuild: nothing may be read before `handOut` */
export function newProjections(entries: Entries = 'handed out'): Projections {
  return projectionsOf(
    statesBy<ProjectionStates>(ALL, (each) => each.initial()),
    0,
    entries,
  );
}

/**
 * The projections that `toJSON` was made of, for a rebuild that continues from there: nothing may be read before
 * `handOut`. Trusts its input and takes it over. @param sequence of the last record that was applied
 */
export function restoreProjections(json: Readonly<Record<string, unknown>>, sequence: number): Projections {
  return projectionsOf(
    statesBy<ProjectionStates>(ALL, (each, name) => each.restore(json[name])),
    sequence,
    'unseen',
  );
}

function projectionsOf(states: ProjectionStates, sequence: number, first: Entries): Projections {
  let entries = first;
  const byName: Readonly<Record<string, unknown>> = states;
  const each = ALL.map(([name, projection]) => ({ projection, state: byName[name] }));
  return {
    ...states,
    sequence,
    handOut() {
      entries = 'handed out';
    },
    evolve(record) {
      for (const { projection, state } of each) projection.evolve(state, record, entries);
      this.sequence = record.sequence;
    },
    forgetTask(task) {
      for (const { projection, state } of each) projection.forget(state, task);
    },
    toText() {
      return canonicalJson(this.toJSON());
    },
    piecesOf: (task) => each.flatMap(({ projection, state }) => listOf(projection.pieceOf?.(state, task))),
    otherPieces: () => {
      const isTask = (key: string): boolean => states.blackboard.tasks.has(key);
      return each.flatMap(({ projection, state }) => [...projection.pieces(state, isTask)]);
    },
    toJSON: () =>
      Object.fromEntries(each.map(({ projection, state }) => [projection.name, projection.toJSON(state)])),
  };
}

/** The compiler cannot follow a loop over the registry, so the caller names the type of the states. */
function statesBy<States>(
  projections: typeof ALL,
  make: (projection: KeptProjection<unknown>, name: string) => unknown,
) {
  return Object.fromEntries(projections.map(([name, each]) => [name, make(each, name)])) as States;
}

function listOf(piece: Piece | null | undefined): Piece[] {
  return piece ? [piece] : [];
}

/** The states before the first event, for a look at the past. */
export function newPastStates(): PastStates {
  return statesBy<PastStates>(PAST, (each) => each.initial());
}

export function copyOfPast(states: PastStates): PastStates {
  const byName: Readonly<Record<string, unknown>> = states;
  return statesBy<PastStates>(PAST, (each, name) => each.copy?.(byName[name]));
}

export function evolvePast(states: PastStates, record: StoredRecord): void {
  const byName: Readonly<Record<string, unknown>> = states;
  for (const [name, projection] of PAST) projection.evolve(byName[name], record);
}

export function forgetInPast(states: PastStates, task: string): void {
  const byName: Readonly<Record<string, unknown>> = states;
  for (const [name, projection] of PAST) projection.forget(byName[name], task);
}
