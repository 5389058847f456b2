/** Tasks that have left memory, read back from their subject in the log. Nothing more happens to them. */
import {
  type AttemptView,
  attemptHistory,
  blackboard,
  messagesOf,
  type QuestionView,
  questions,
  questionsOf,
  type SteeringMessage,
  steering,
  type TaskView,
} from '../../../projections/index.ts';
import { Lru } from '../../base/lru.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { creationSubjects, redactionSubject, taskSubject } from '../../contracts/messages/subjects.ts';
import { recordsOf } from '../../journal/codec/cloud-event.ts';
import type { Journal, JournalEntry, LogReader } from '../../journal/journal.ts';

export interface ArchivedTask {
  readonly view: TaskView;
  readonly attempts: readonly AttemptView[];
  readonly questions: readonly QuestionView[];
  readonly messages: readonly SteeringMessage[];
}

export interface Histories {
  has(task: TaskRef): Promise<boolean>;
  read(task: TaskRef): AsyncIterable<StoredRecord>;
}

/** Number of recently read tasks that are cached. */
const KEPT = 256;

export class Archive {
  readonly #histories: Histories;
  readonly #kept = new Lru<string, ArchivedTask>(KEPT);

  constructor(histories: Histories) {
    this.#histories = histories;
  }

  /** null if the task never existed. @throws SignalboxError as reading the log */
  async find(ref: TaskRef): Promise<ArchivedTask | null> {
    const key = taskKey(ref);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    if (!(await this.#histories.has(ref))) return null;
    const found = await fold(this.#histories.read(ref), ref);
    if (found) this.#kept.set(key, found);
    return found;
  }

  /** A late event of a task makes its cached entry incomplete. */
  onRecord({ event }: StoredRecord): void {
    if ('task' in event && this.#kept.size > 0) this.#kept.delete(taskKey(event));
  }
}

/** The tasks in a journal. @param reader with tombstones for erased events */
export function archiveOf(journal: Pick<Journal<JournalEntry>, 'holds'>, reader: LogReader): Archive {
  return new Archive({
    has: async (task) =>
      // If the creation was erased, its redaction proves that the task existed.
      (
        await Promise.all(
          [...creationSubjects(task), redactionSubject(task)].map((each) => journal.holds(each)),
        )
      ).includes(true),
    read: (task) => recordsOf(reader.readBySubject(taskSubject(task))),
  });
}

async function fold(records: AsyncIterable<StoredRecord>, ref: TaskRef): Promise<ArchivedTask | null> {
  const board = blackboard.initial();
  const history = attemptHistory.initial();
  const asked = questions.initial();
  const sent = steering.initial();
  for await (const record of records) {
    blackboard.evolve(board, record);
    attemptHistory.evolve(history, record);
    questions.evolve(asked, record);
    steering.evolve(sent, record);
  }
  const key = taskKey(ref);
  const view = board.tasks.get(key);
  if (!view) return null;
  return {
    view,
    attempts: history.byTask.get(key) ?? [],
    questions: questionsOf(asked, ref),
    messages: messagesOf(sent, ref),
  };
}
