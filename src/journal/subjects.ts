/** Every NATS subject and stream name of Signalbox stands here and nowhere else. */
import type { Filing } from '../contracts/cloud-event.ts';
import { SYSTEM_PROJECT } from '../contracts/ids.ts';

const ROOT = 'signalbox.v1';

export const EVENT_STREAM = 'SIGNALBOX_EVENTS';
/** Where the writer publishes. Subscribers here would also see what the server refused: follow LIVE instead. */
export const EVENT_SUBJECTS = `${ROOT}.evt.>`;
/** Where the server republishes what it has stored, with the header `Nats-Sequence`. */
export const LIVE_SUBJECTS = `${ROOT}.live.>`;
export const LEASE_BUCKET = 'SIGNALBOX_LEASE';

/** `signalbox.v1.evt.<project>.<entity>.<id>.<event>` */
export function eventSubject(filing: Filing): string {
  return `${ROOT}.evt.${filing.project}.${filing.entity}.${filing.id}.${filing.name}`;
}

/** Where a task's first event stands. */
export function creationSubject(project: string, task: string): string {
  return `${taskSubject(project, task)}.created`;
}

/** Where everything of a project stands. */
export function projectSubject(project: string): string {
  return `${ROOT}.evt.${project}`;
}

/** Where the whole history of a task stands, its attempts' events included. */
export function taskSubject(project: string, task: string): string {
  return `${projectSubject(project)}.task.${task}`;
}

/** Where the redactions of a task stand. */
export function redactionSubject(project: string, task: string): string {
  return `${taskSubject(project, task)}.redacted`;
}

/** The redactions of all tasks. */
export const REDACTION_FILTER = `${ROOT}.evt.*.task.*.redacted`;

/** The supervisor's own events of one kind, such as `checkpointed`. */
export function supervisorFilter(name: string): string {
  return eventSubject({ project: SYSTEM_PROJECT, entity: 'supervisor', id: 'supervisor', name });
}

/** Whether a NATS filter takes a subject: `*` stands for one token, `>` at the end for one or more. */
export function matchesSubject(filter: string, subject: string): boolean {
  const tokens = subject.split('.');
  const wanted = filter.split('.');
  if (wanted.at(-1) === '>') {
    return (
      tokens.length >= wanted.length &&
      wanted.slice(0, -1).every((each, i) => each === '*' || each === tokens[i])
    );
  }
  return tokens.length === wanted.length && wanted.every((each, i) => each === '*' || each === tokens[i]);
}
