/**
 * Whether all promises were kept, judged from the log alone, the notes of the agents and /proc:
 *
 * - What was answered as done is in the log, once; what was refused is not.
 * - No attempt was started twice, none without its claim in the log, and the log names the right process.
 * - The log is what the model of the simulation (log-model.ts) allows: transitions, versions, slots and limits.
 * - Every attempt has ended, without a surviving process; every task is settled.
 * - Chain, ids, sequences and signatures hold (`audit verify`), the present machines give the same result (`replay check`),
 *   and what was visible at the end is what the log says (`rebuild`).
 * - No process is left.
 */

import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { attemptKey, taskKey } from '../../../src/contracts/ids.ts';
import { SETTLED_STATES } from '../../../src/contracts/tasks.ts';
import { readRecords } from '../../../src/engine/replay/event-source.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import { LogModel } from '../simulation/log-model.ts';
import { LIMITS } from './agents.ts';
import type { Ledger } from './ledger.ts';
import type { Note } from './notes.ts';

export interface LogFigures {
  readonly events: number;
  readonly writers: number;
  readonly tasks: Readonly<Record<string, number>>;
  readonly attempts: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly figures: LogFigures;
  readonly violations: readonly string[];
}

export interface Evidence {
  /** In which all tasks are. */
  readonly project: string;
  /** The log, one event a line, as it is stored. */
  readonly file: string;
  readonly ledger: Ledger;
  readonly notes: readonly Note[];
}

const MAX_EVENT_BYTES = 1_048_576;

export async function judge({ project, file, ledger, notes }: Evidence): Promise<Verdict> {
  const reading = new Reading(project);
  for await (const record of readRecords(fileSource(file))) reading.take(record);
  reading.expectKept(ledger, notes);
  reading.expectStartedOnce(notes);
  reading.expectAtRest();
  return { figures: reading.figures(), violations: reading.violations };
}

class Reading {
  readonly violations: string[] = [];
  readonly #project: string;
  readonly #model = new LogModel({
    concurrency: LIMITS.concurrency,
    projectConcurrency: LIMITS.concurrency,
    queueDepth: LIMITS.queue_depth,
    backlog: Number.POSITIVE_INFINITY,
    maxEventBytes: MAX_EVENT_BYTES,
  });
  /** Texts that callers and agents have marked, with how often an event has them. */
  readonly #words = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  /** Pid and start time, by attempt. */
  readonly #started = new Map<string, string>();
  readonly #completed: string[] = [];
  #events = 0;
  #writers = 0;
  #isLegal = true;

  constructor(project: string) {
    this.#project = project;
  }

  take(record: StoredRecord): void {
    this.#events++;
    const { event } = record;
    for (const [word] of JSON.stringify(event).matchAll(/word:[A-Za-z0-9_.-]+/g)) {
      this.#words.set(word, (this.#words.get(word) ?? 0) + 1);
    }
    if (event.type === 'supervisor.started') this.#writers++;
    if (event.type === 'attempt.started')
      this.#started.set(`${event.task}.${event.attempt}`, `${event.pid} ${event.start_time}`);
    if (event.type === 'attempt.ended') {
      this.#outcomes.set(event.outcome, (this.#outcomes.get(event.outcome) ?? 0) + 1);
      if (event.outcome === 'completed') this.#completed.push(`${event.task}.${event.attempt}`);
      const survivors = event.evidence?.survivors;
      this.#expect(
        !survivors || survivors === 'unknown',
        `attempt ${event.task}.${event.attempt} ended with ${survivors} survivors`,
      );
    }
    this.#applyToModel(record);
  }

  expectKept(ledger: Ledger, notes: readonly Note[]): void {
    for (const [id, title] of ledger.created) {
      const task = this.#model.tasks.get(taskKey({ project: this.#project, task: id }));
      if (task)
        this.#expect(task.spec.title === title, `task ${id} is called ${task.spec.title}, not ${title}`);
      else this.violations.push(`task ${id} was answered with 201, and is not in the log`);
    }
    for (const word of [...ledger.done, ...notes.flatMap(({ words }) => words)]) {
      const count = this.#words.get(word) ?? 0;
      this.#expect(count === 1, `"${word}" was answered as done, and is in the log ${count} times`);
    }
    for (const word of ledger.refused) {
      this.#expect(!this.#words.has(word), `"${word}" was refused, and is in the log`);
    }
  }

  expectStartedOnce(notes: readonly Note[]): void {
    const seen = new Map<string, Note>();
    for (const note of notes) {
      const key = `${note.task}.${note.attempt}`;
      const other = seen.get(key);
      seen.set(key, note);
      this.#expect(!other, `attempt ${key} ran as process ${other?.pid} and as process ${note.pid}`);
      const isClaimed = this.#model.attempts.has(attemptKey({ project: this.#project, ...note }));
      this.#expect(isClaimed, `attempt ${key} ran, and no claim is in the log`);
      const started = this.#started.get(key);
      const isSame = started === undefined || started === `${note.pid} ${note.startTime}`;
      this.#expect(isSame, `attempt ${key} ran as ${note.pid} ${note.startTime}; the log has ${started}`);
    }
    for (const key of this.#completed) {
      this.#expect(seen.has(key), `attempt ${key} is said to be completed, and never ran`);
    }
  }

  expectAtRest(): void {
    this.#expect(this.#model.open === 0, `${this.#model.open} attempts never ended`);
    for (const { id, state } of this.#model.tasks.values()) {
      this.#expect(SETTLED_STATES.has(state), `task ${id} is stuck in ${state}`);
    }
  }

  figures(): LogFigures {
    const tasks: Record<string, number> = {};
    for (const { state } of this.#model.tasks.values()) tasks[state] = (tasks[state] ?? 0) + 1;
    return {
      events: this.#events,
      writers: this.#writers,
      tasks,
      attempts: Object.fromEntries(this.#outcomes),
    };
  }

  /** After the first violation the model does not know the true state any more. */
  #applyToModel(record: StoredRecord): void {
    if (!this.#isLegal) return;
    try {
      this.#model.apply(record);
    } catch (error) {
      this.#isLegal = false;
      this.violations.push(error instanceof Error ? error.message : String(error));
    }
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }
}
