/**
 * Where a replay reads from: the log over NATS, a journal, a file, or whatever else keeps events.
 *
 * ES1 A source gives every event that is selected, in the log's order, with the bytes that were stored.
 * ES2 Reading changes nothing: a source takes no lease, writes nothing and starts nothing.
 */

import { projectSubject, taskSubject } from '../../contracts/messages/subjects.ts';
import type { StoredMessage } from '../../journal/journal.ts';

/** Which events; all where it says nothing. */
export interface EventSelection {
  /** First sequence; 1 where it is absent. */
  readonly from?: number;
  /** Last sequence, inclusive; the end at the time of the call where it is absent or beyond it. */
  readonly to?: number;
  /** Only those of this project. Events of agents and of the supervisor belong to none. */
  readonly project?: string;
  /** Only those of this task, its attempts included; needs `project`. */
  readonly task?: string;
}

export interface EventSource {
  /** What it is, for messages: `the log at nats://127.0.0.1:4222`, `the file history.ndjson`. */
  readonly name: string;
  /** Sequence of the last event; 0 where there is none. @throws SignalboxError `nats_unavailable` */
  lastSequence(): Promise<number>;
  /** @throws SignalboxError `log_corrupt` where an event is missing, `nats_unavailable` */
  read(selection?: EventSelection): AsyncIterable<StoredMessage>;
}

/** A source that goes on: events come as they are stored. */
export interface LiveEventSource extends EventSource {
  /**
   * Everything that is selected from `from` on, and then what is stored from now on, until the signal is aborted.
   * @throws SignalboxError `log_corrupt` where an event is missing, `nats_unavailable`
   */
  follow(selection: Omit<EventSelection, 'to'>, signal: AbortSignal): AsyncIterable<StoredMessage>;
}

/** The subject under which everything that is selected stands; undefined for all. */
export function subjectOf({ project, task }: EventSelection): string | undefined {
  if (project === undefined) return undefined;
  return task === undefined ? projectSubject(project) : taskSubject(project, task);
}

/** For sources that read everything and leave out what is not selected. */
export function isSelected(message: StoredMessage, selection: EventSelection): boolean {
  const { from = 1, to = Number.POSITIVE_INFINITY } = selection;
  if (message.sequence < from || message.sequence > to) return false;
  const subject = subjectOf(selection);
  return subject === undefined || message.subject.startsWith(`${subject}.`);
}
