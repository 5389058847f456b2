/**
 * Every NATS subject, stream, consumer, bucket and account of Signalbox. docs/reference/subjects.md and the AsyncAPI document
 * derive from it.
 *
 * Ids are checked before they become tokens (`ids.ts`), so a subject never matches more than intended. The subjects of one
 * agent form a subtree with its id at a fixed position, so permissions need no list.
 */
import { type DomainEvent, type EntityKind, SUPERVISOR_ID } from '../events/events.ts';
import { type AttemptRef, SYSTEM_PROJECT, type TaskRef } from '../ids.ts';

const ROOT = 'signalbox.v1';

/** The account of Signalbox itself on a NATS server. All streams and buckets are in it. */
export const LOG_ACCOUNT = 'SIGNALBOX';

/** The account of another user, such as `SIGNALBOX_AGENT_builder`. */
export function accountOfUser(role: string, name: string): string {
  return `${LOG_ACCOUNT}_${role.toUpperCase()}_${name}`;
}

export const EVENT_STREAM = 'SIGNALBOX_EVENTS';
/** The writer publishes here. Subscribers would also see messages that the server refuses: follow LIVE instead. */
export const EVENT_SUBJECTS = `${ROOT}.evt.>`;
/** The server republishes stored messages here, with the header `Nats-Sequence`. */
export const LIVE_SUBJECTS = `${ROOT}.live.>`;
export const LEASE_BUCKET = 'SIGNALBOX_LEASE';
/** Every standby answers requests here with its identity. */
export const STANDBY_SUBJECT = `${ROOT}.standby`;

/** For doctor, which sends something and looks who receives it. */
export function probeSubject(id: string): string {
  return `${ROOT}.probe.${id}`;
}

/** Messages of agents, until the supervisor has handled them. */
export const AGENT_STREAM = 'SIGNALBOX_AGENT_MESSAGES';
export const AGENT_SUBJECTS = `${ROOT}.agent.>`;
/** The only consumer of the agents' messages. */
export const AGENT_CONSUMER = 'supervisor';

/** Jobs of remote agents, until they are done. */
export const WORK_STREAM = 'SIGNALBOX_WORK';
export const WORK_SUBJECTS = `${ROOT}.work.>`;

/** The newest rejected messages of each agent. */
export const REJECTED_STREAM = 'SIGNALBOX_REJECTED';
export const REJECTED_SUBJECTS = `${ROOT}.rejected.>`;

export const AGENT_MESSAGE_KINDS = [
  'announce',
  'heartbeat',
  'status',
  'output',
  'comment',
  'question',
  'withdrawal',
  'log',
  'result',
] as const;
export type AgentMessageKind = (typeof AGENT_MESSAGE_KINDS)[number];

/** Messages to agents: answers to their messages, and attempts to stop. */
export const CONTROL_KINDS = ['answer', 'cancel'] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** The parts of a message's subject. The events of an attempt belong to its task. */
export interface SubjectParts {
  readonly project: string;
  readonly entity: Exclude<EntityKind, 'attempt'>;
  readonly id: string;
  /** The event, e.g. `claimed` or `attempt_started`; of events that were stored together each name once: `claimed.attempt_started`. */
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
  if ('schedule' in event) return { project, entity: 'schedule', id: event.schedule, name: verb };
  if ('budget' in event) return { project, entity: 'budget', id: event.budget, name: verb };
  if ('queue' in event) return { project, entity: 'queue', id: event.queue, name: verb };
  return { project, entity: 'supervisor', id: SUPERVISOR_ID, name: verb };
}

/** The parts of the subject of events that are stored together. */
export function subjectPartsOfAll([first, ...others]: readonly [
  DomainEvent,
  ...DomainEvent[],
]): SubjectParts {
  const parts = subjectPartsOf(first);
  if (others.length === 0) return parts;
  const names = new Set([parts.name, ...others.map((each) => subjectPartsOf(each).name)]);
  return { ...parts, name: [...names].join('.') };
}

/** `signalbox.v1.evt.<project>.<entity>.<id>.<event>`, with a further `.<event>` for each that is stored with it. */
export function eventSubject({ project, entity, id, name }: SubjectParts): string {
  return `${ROOT}.evt.${project}.${entity}.${id}.${name}`;
}

/** The subject prefix of a task's history, including the events of its attempts. */
export function taskSubject({ project, task }: TaskRef): string {
  return `${ROOT}.evt.${project}.task.${task}`;
}

/** `signalbox.v1.cmd.<project>.<operation>`; the project is `_system` if the command is about none. */
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

/** The subject of a task's redactions. */
export function redactionSubject(ref: TaskRef): string {
  return `${taskSubject(ref)}.redacted`;
}

/** The redactions of all tasks. */
export const REDACTION_FILTER = `${ROOT}.evt.*.task.*.redacted`;

/** The redactions under the prefix of a project or a task. */
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

/** Whether a NATS filter matches a subject: `*` is one token, `>` at the end one or more. */
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

/** The subjects that the message with a task's first event may have. */
export function creationSubjects(ref: TaskRef): readonly string[] {
  const alone = `${taskSubject(ref)}.created`;
  return [alone, `${alone}.claimed`, `${alone}.claimed.attempt_started`];
}

export function controlSubject(agent: string, kind: ControlKind | '>'): string {
  return `${ROOT}.control.${agent}.${kind}`;
}

/** The subject of one job. */
export function workSubject(
  job: TaskRef & { readonly agent: string; readonly attempt: number | string },
): string {
  return `${ROOT}.work.${job.agent}.${job.project}.${job.task}.${job.attempt}`;
}

/** The whole queue of an agent. */
export function workQueueSubjects(agent: string): string {
  return `${ROOT}.work.${agent}.>`;
}

/** The job of a subject; null for a subject of another form. */
export function jobOfSubject(subject: string): (AttemptRef & { readonly agent: string }) | null {
  const [, , , agent, project, task, attempt] = subject.split('.');
  if (agent === undefined || project === undefined || task === undefined || attempt === undefined)
    return null;
  return { agent, project, task, attempt: Number(attempt) };
}

export function rejectedSubject(agent: string): string {
  return `${ROOT}.rejected.${agent}`;
}

/** Object store bucket for content of an agent that is too large for a message. */
export function fileBucket(agent: string): string {
  return `SIGNALBOX_FILES_${agent}`;
}

/** The stream of the bucket, as the object store names it. */
export function bucketStream(agent: string): string {
  return `OBJ_${fileBucket(agent)}`;
}

/** The prefix of an agent's inboxes: no other user may subscribe to it. */
export function inboxPrefix(user: string): string {
  return `_INBOX_${user}`;
}

/**
 * `_INBOX.…` and `_INBOX_<user>.…`, as clients make them; `_R_.…`, which a server puts in the place of an inbox of another
 * account; before each what a gateway adds.
 */
const INBOX = /^(?:_GR_\.[^.]+\.[^.]+\.)?(?:_INBOX(?:_[A-Za-z0-9_-]{1,64})?|_R_)\.[^\s*>]+$/;

/** Whether a reply subject is an inbox of a client: of no stream, no service and no API. */
export function isInbox(subject: string): boolean {
  return INBOX.test(subject);
}
