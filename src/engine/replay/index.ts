/**
 * Replay as a library: read the log, fold projections over it, follow it, compare moments, check machines against it.
 *
 *     const source = await natsSource(connection);
 *     const { sequence, state } = await fold(source, myProjection);
 *     for await (const { state, record } of follow(source, myProjection, { resume: { sequence, state }, signal })) …
 *
 * Nothing here writes, takes a lease or has an effect.
 */
export {
  type Agents,
  type AgentView,
  type AttemptHistory,
  type AttemptView,
  agents,
  attemptHistory,
  type Blackboard,
  blackboard,
  newProjections,
  type Projection,
  type Projections,
  type TaskView,
} from '../../../projections/index.ts';
export { type ErrorCode, SignalboxError } from '../../contracts/errors.ts';
export type {
  DomainEvent,
  EventRecord,
  EventType,
  StoredRecord,
  Transition,
} from '../../contracts/events/events.ts';
export type { StoredMessage } from '../../journal/journal.ts';
export type { Machines } from '../runtime/actor-host.ts';
export type { Divergence } from '../runtime/divergence.ts';
export { type Board, type BoardChanges, boardOf, changesBetween } from './changes.ts';
export { type Entry, type EntryPage, entriesOf, type PageOfTasks } from './entries.ts';
export {
  type EventSelection,
  type EventSource,
  journalSource,
  type LiveEventSource,
  memorySource,
  natsSource,
  readRecords,
} from './event-source.ts';
export { fileSource } from './file-source.ts';
export { type Folded, type FoldOptions, type Followed, type FollowOptions, fold, follow } from './fold.ts';
export { type Moment, parseMoment } from './moment.ts';
export { type CheckReport, checkHistory, type Place, Replay, type ReplayOptions } from './replay.ts';
