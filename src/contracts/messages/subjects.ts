/**
 * Every NATS subject, stream, consumer and bucket of Signalbox stands here and nowhere else; `docs/reference/subjects.md` and the
 * AsyncAPI document are made of it.
 *
 * N1 Ids are checked before they become tokens (`ids.ts`), so no subject reaches beyond the one that is meant.
 * N2 What one agent may say or read is one subtree with its id in a fixed place: permissions need no list.
 */
import { type DomainEvent, type EntityKind, SUPERVISOR_ID } from '../events/events.ts';
import { SYSTEM_PROJECT } from '../ids.ts';

const ROOT = 'signalbox.v1';

export const EVENT_STREAM = 'SIGNALBOX_EVENTS';
/** Where the writer publishes. Subscribers here would also see what the server refused: follow LIVE instead. */
export const EVENT_SUBJECTS = `${ROOT}.evt.>`;
/** Where the server republishes what it has stored, with the header `Nats-Sequence`. */
export const LIVE_SUBJECTS = `${ROOT}.live.>`;
export const LEASE_BUCKET = 'SIGNALBOX_LEASE';
/** Asked here, every standby answers with who it is. */
export const STANDBY_SUBJECT = `${ROOT}.standby`;

/** What agents say, until the supervisor has heard it. */
export const AGENT_STREAM = 'SIGNALBOX_AGENT_MESSAGES';
export const AGENT_SUBJECTS = `${ROOT}.agent.>`;
/** The one reader of the agents' messages. */
export const AGENT_CONSUMER = 'supervisor';

/** What remote agents are to do, until they have done it. */
export const WORK_STREAM = 'SIGNALBOX_WORK';
export const WORK_SUBJECTS = `${ROOT}.work.>`;

/** The newest messages that were refused, by agent. */
export const REJECTED_STREAM = 'SIGNALBOX_REJECTED';
export const REJECTED_SUBJECTS = `${ROOT}.rejected.>`;

export const AGENT_MESSAGE_KINDS = [
  'announce',
  'heartbeat',
  'status',
  'output',
  'comment',
  'log',
  'result',
] as const;
export type AgentMessageKind = (typeof AGENT_MESSAGE_KINDS)[number];

/** What Signalbox tells an agent: what became of its messages, and what to stop. */
export const CONTROL_KINDS = ['answer', 'cancel'] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** The parts of an event's subject. The events of an attempt belong to its task. */
export interface SubjectParts {
  readonly project: string;
  readonly entity: Exclude<EntityKind, 'attempt'>;
  readonly id: string;
  /** The last token, e.g. `claimed` or `attempt_started`. */
  readonly name: string;
}

export function subjectPartsOf(event: DomainEvent): SubjectParts {
  const [scope = '', verb = ''] = event.type.split('.');
  if ('task' in event) {
    const name = scope === 'task' ? verb : `${scope}_${verb}`;
    return { project: event.project, entity: 'task', id: event.task, name };
  }
  const project = SYSTEM_PROJECT;
  if ('agent' in event) return { project, entity: 'agent', id: event.agent, name: verb };
  if ('queue' in event) return { project, entity: 'queue', id: event.queue, name: verb };
  return { project, entity: 'supervisor', id: SUPERVISOR_ID, name: verb };
}

/** `signalbox.v1.evt.<project>.<entity>.<id>.<event>` */
export function eventSubject({ project, entity, id, name }: SubjectParts): string {
  return `${ROOT}.evt.${project}.${entity}.${id}.${name}`;
}

/** Where the whole history of a task stands, its attempts' events included. */
export function taskSubject(project: string, task: string): string {
  return `${ROOT}.evt.${project}.task.${task}`;
}

/** `signalbox.v1.cmd.<project>.<operation>`; `_system` stands for the project where the command is about none. */
export function commandSubject(project: string, operation: string): string {
  return `${ROOT}.cmd.${project}.${operation}`;
}

export function agentSubject(agent: string, kind: AgentMessageKind | '*' | '>'): string {
  return `${ROOT}.agent.${agent}.${kind}`;
}

/** The agent that sends and the kind of message, by the subject; null for a subject of another form. */
export function senderOfSubject(subject: string): { readonly agent: string; readonly kind: string } | null {
  const [, , , agent, kind, ...more] = subject.split('.');
  return agent === undefined || kind === undefined || more.length > 0 ? null : { agent, kind };
}

/** Where the redactions of a task stand. */
export function redactionSubject(project: string, task: string): string {
  return `${taskSubject(project, task)}.redacted`;
}

/** The redactions of all tasks. */
export const REDACTION_FILTER = `${ROOT}.evt.*.task.*.redacted`;

/** The redactions of what stands under a project or a task. */
export function redactionFilter(prefix: string): string {
  const given = prefix.split('.');
  return [...given, ...REDACTION_FILTER.split('.').slice(given.length)].join('.');
}

/** Every event of a project's tasks. */
export function projectSubject(project: string): string {
  return `${ROOT}.evt.${project}`;
}

/** The supervisor's own events of one kind, such as `checkpointed`. */
export function supervisorFilter(name: string): string {
  return eventSubject({ project: SYSTEM_PROJECT, entity: 'supervisor', id: SUPERVISOR_ID, name });
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

/** Where a task's first event stands. */
export function creationSubject(project: string, task: string): string {
  return `${taskSubject(project, task)}.created`;
}

export function controlSubject(agent: string, kind: ControlKind | '>'): string {
  return `${ROOT}.control.${agent}.${kind}`;
}

/** One job, as long as it is to be done. */
export function workSubject(job: {
  readonly agent: string;
  readonly project: string;
  readonly task: string;
  readonly attempt: number | string;
}): string {
  return `${ROOT}.work.${job.agent}.${job.project}.${job.task}.${job.attempt}`;
}

/** The whole queue of an agent. */
export function workQueueSubjects(agent: string): string {
  return `${ROOT}.work.${agent}.>`;
}

/** The job of a subject; null for a subject of another form. */
export function jobOfSubject(subject: string): {
  readonly agent: string;
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
} | null {
  const [, , , agent, project, task, attempt] = subject.split('.');
  if (agent === undefined || project === undefined || task === undefined || attempt === undefined)
    return null;
  return { agent, project, task, attempt: Number(attempt) };
}

export function rejectedSubject(agent: string): string {
  return `${ROOT}.rejected.${agent}`;
}

/** Object store bucket in which an agent leaves what is too large for a message. */
export function fileBucket(agent: string): string {
  return `SIGNALBOX_FILES_${agent}`;
}

/** The stream behind the bucket, as the object store names it. */
export function bucketStream(agent: string): string {
  return `OBJ_${fileBucket(agent)}`;
}

/** The prefix of an agent's inboxes: nobody else may listen there. */
export function inboxPrefix(user: string): string {
  return `_INBOX_${user}`;
}
