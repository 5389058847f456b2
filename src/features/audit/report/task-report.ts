/** Everything that a report says about one task, collected from the events of a log or bundle. */
import {
  type AttemptView,
  attemptHistory,
  blackboard,
  type QuestionView,
  questions,
  questionsOf,
  type TaskView,
} from '../../../../projections/index.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import { editText } from '../../../contracts/events/edit-text.ts';
import type { DomainEvent, StoredRecord } from '../../../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../../contracts/ids.ts';
import type { Verification } from '../verifier.ts';
import type { ReportedTranscript } from './transcripts.ts';

export interface ReportedEvent {
  readonly record: StoredRecord;
  /** SHA-256 (hex) of the stored message. */
  readonly hash: string;
  readonly isRedacted: boolean;
}

export interface TaskReport {
  readonly task: TaskView;
  readonly attempts: readonly AttemptView[];
  /** By the number of the attempt, as far as their files are at hand. */
  readonly transcripts: ReadonlyMap<number, ReportedTranscript>;
  /** What its agents asked, the first question first. */
  readonly questions: readonly QuestionView[];
  readonly events: readonly ReportedEvent[];
  /** Of the whole log or bundle. */
  readonly verification: Verification;
  /** What was read. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly created: number;
}

export class TaskCollector {
  readonly #task: TaskRef;
  readonly #events: { record: StoredRecord; hash: string }[] = [];

  constructor(task: TaskRef) {
    this.#task = task;
  }

  /** Keeps the events of the task. @param hash returns the hash of the stored message */
  add(record: StoredRecord, hash: () => string): void {
    const { event } = record;
    if ('task' in event && event.task === this.#task.task && event.project === this.#task.project) {
      this.#events.push({ record, hash: hash() });
    }
  }

  /** @throws SignalboxError `task_not_found` if its creation is not among the events */
  report(about: Pick<TaskReport, 'verification' | 'source' | 'created'>): Omit<TaskReport, 'transcripts'> {
    const board = blackboard.initial();
    const history = attemptHistory.initial();
    const asked = questions.initial();
    const redacted = new Set<number>();
    for (const { record } of this.#events) {
      blackboard.evolve(board, record);
      attemptHistory.evolve(history, record);
      questions.evolve(asked, record);
      if (record.event.type === 'task.redacted') redacted.add(record.event.sequence);
    }
    const key = taskKey(this.#task);
    const task = board.tasks.get(key);
    if (!task) {
      const { project, task: id } = this.#task;
      throw new SignalboxError('task_not_found', `${about.source} has no task ${id} in project ${project}`);
    }
    const events = this.#events.map((each) => ({ ...each, isRedacted: redacted.has(each.record.sequence) }));
    return {
      ...about,
      task,
      attempts: history.byTask.get(key) ?? [],
      questions: questionsOf(asked, this.#task),
      events,
    };
  }
}

/** The text in an event; empty if its type says everything. */
export function eventText(event: DomainEvent): string {
  switch (event.type) {
    case 'task.created':
      return event.spec.title;
    case 'task.output_added':
      return `${event.output.type}: ${event.output.title}`;
    case 'task.comment_added':
      return event.body;
    case 'task.redacted':
      return `content of event ${event.sequence} erased: ${event.reason}`;
    case 'attempt.ended':
      return event.error === undefined ? event.outcome : `${event.outcome}: ${event.error}`;
    case 'attempt.message_rejected':
      return `${event.message}: ${event.reason}`;
    case 'attempt.question_asked':
      return `${event.question}: ${event.spec.message}`;
    case 'attempt.question_answered':
      return [`${event.question}: ${event.action}`, event.option, event.comment]
        .filter((part) => part !== undefined)
        .join(', ');
    case 'task.edited':
      return [editText(event.changes), event.comment].filter((part) => part !== undefined).join(': ');
    case 'attempt.extended':
      return `until ${timeText(event.deadline_ms)}`;
    case 'task.cancelled':
      return [event.children && 'with everything below it', event.reason].filter(Boolean).join(': ');
    case 'task.steered':
      return event.text;
    case 'task.steering_delivered':
      return `by ${event.by}: ${event.messages.join(', ')}`;
    case 'attempt.recovered':
      return event.evidence;
    case 'task.dependency_met':
      return event.dependency;
    default:
      if ('reason' in event) return event.reason ?? '';
      if ('detail' in event) return event.detail ?? '';
      return 'comment' in event ? (event.comment ?? '') : '';
  }
}

/** Changes of state, such as `task pending → claimed, attempt → requested`; empty if there are none. */
export function changesOf({ transitions }: StoredRecord): string {
  return transitions
    .filter(({ from, to }) => from !== to)
    .map(({ entity, from, to }) => `${entity} ${from === null ? '' : `${from} `}→ ${to}`)
    .join(', ');
}

/** The result of the verification as a sentence. */
export function verificationText({ verification }: TaskReport): string {
  const { findings, first, last, covered, keys } = verification;
  if (findings > 0) {
    return `NOT VERIFIED: ${findings} ${findings === 1 ? 'finding' : 'findings'} in events ${first} to ${last}. "signalbox audit verify" lists them.`;
  }
  const chain = `Verified: events ${first} to ${last} are complete and unchanged according to their hash chain.`;
  if (covered === 0) return `${chain} No checkpoint covers them.`;
  return `${chain} Checkpoints cover them up to event ${covered}, signed with ${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}.`;
}

export function timeText(milliseconds: number | null): string {
  if (milliseconds === null) return '–';
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', ' UTC');
}
