/** What is told of one task: gathered from its events, whether they come from a log or from a bundle. */
import {
  type AttemptView,
  attemptHistory,
  blackboard,
  type TaskView,
} from '../../../../projections/index.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import type { DomainEvent, StoredRecord } from '../../../contracts/events/events.ts';
import type { Verification } from '../verifier.ts';

export interface ReportedEvent {
  readonly record: StoredRecord;
  /** SHA-256 (hex) of what was stored. */
  readonly hash: string;
  /** Whether its content is erased. */
  readonly isRedacted: boolean;
}

export interface TaskReport {
  readonly task: TaskView;
  readonly attempts: readonly AttemptView[];
  readonly events: readonly ReportedEvent[];
  /** Of everything that was read. */
  readonly verification: Verification;
  /** What was read. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly created: number;
}

export class TaskCollector {
  readonly #project: string;
  readonly #task: string;
  readonly #events: { record: StoredRecord; hash: string }[] = [];

  constructor(project: string, task: string) {
    this.#project = project;
    this.#task = task;
  }

  /** Keeps the event if it is one of the task's. @param hash its link in the hash chain */
  add(record: StoredRecord, hash: () => string): void {
    const { event } = record;
    if ('task' in event && event.task === this.#task && event.project === this.#project) {
      this.#events.push({ record, hash: hash() });
    }
  }

  /** @throws SignalboxError `task_not_found` where its creation is not among the events */
  report(about: Pick<TaskReport, 'verification' | 'source' | 'created'>): TaskReport {
    const board = blackboard.initial();
    const history = attemptHistory.initial();
    const redacted = new Set<number>();
    for (const { record } of this.#events) {
      blackboard.evolve(board, record);
      attemptHistory.evolve(history, record);
      if (record.event.type === 'task.redacted') redacted.add(record.event.sequence);
    }
    const key = `${this.#project}/${this.#task}`;
    const task = board.tasks.get(key);
    if (!task) {
      throw new SignalboxError(
        'task_not_found',
        `${about.source} has no task ${this.#task} of project ${this.#project}`,
      );
    }
    const events = this.#events.map((each) => ({ ...each, isRedacted: redacted.has(each.record.sequence) }));
    return { ...about, task, attempts: history.byTask.get(key) ?? [], events };
  }
}

/** What an event says in words, in one line; empty where its type says all. */
export function wordsOf(event: DomainEvent): string {
  switch (event.type) {
    case 'task.created':
      return event.spec.title;
    case 'task.output_added':
      return `${event.output.type}: ${event.output.title}`;
    case 'task.comment_added':
      return `${event.author}: ${event.body}`;
    case 'task.redacted':
      return `the content of event ${event.sequence} was erased: ${event.reason}`;
    case 'attempt.ended':
      return [event.outcome, event.error].filter((text) => text !== undefined).join(': ');
    case 'attempt.message_rejected':
      return `${event.message}: ${event.reason}`;
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

/** As in `task pending → claimed, attempt → requested`; empty where nothing moved. */
export function movesOf({ transitions }: StoredRecord): string {
  return transitions
    .filter(({ from, to }) => from !== to)
    .map(({ entity, from, to }) => `${entity} ${from === null ? '' : `${from} `}→ ${to}`)
    .join(', ');
}

/** What the report says of its own truth, in one sentence. */
export function verificationText({ verification }: TaskReport): string {
  const { findings, first, last, covered, keys } = verification;
  if (findings > 0) {
    return `NOT VERIFIED: ${findings} ${findings === 1 ? 'thing is' : 'things are'} wrong with events ${first} to ${last}. "signalbox audit verify" names each.`;
  }
  const chain = `Verified: events ${first} to ${last} are in order, and their hash chain is whole.`;
  if (covered === 0) return `${chain} No checkpoint covers any of them.`;
  return `${chain} Checkpoints cover them up to event ${covered}, signed with ${keys.length === 1 ? 'the key' : 'the keys'} ${keys.join(', ')}.`;
}

export function timeText(milliseconds: number | null): string {
  return milliseconds === null
    ? '–'
    : new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', ' UTC');
}
