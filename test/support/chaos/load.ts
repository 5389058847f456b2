/** Callers over HTTP: some create tasks, some decide about them. They ask again until they are answered. */
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../simulation/random.ts';
import { DRAW } from './agents.ts';
import { Ledger } from './ledger.ts';
import type { Stage } from './stage.ts';

const CREATORS = 4;
const PEOPLE = 2;
export const PROJECT = 'chaos';
const TASKS = `/api/projects/${PROJECT}/tasks`;
const ANSWER_MS = 3_000;
const RETRY_MS = 100;
/** Creations without a pause would only make a queue. */
const PAUSE_MS = [50, 400] as const;
const UNFINISHED = 120;

export interface Answer {
  /** 0 if there was none. */
  readonly status: number;
  readonly body: unknown;
}

export class Load {
  readonly ledger = new Ledger();
  readonly #stage: Stage;
  readonly #seed: Random;
  #isOn = true;
  #callers: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#seed = random;
  }

  begin(): void {
    const callers = Array.from({ length: CREATORS + PEOPLE }, (_, index) => {
      const random = new Random(this.#seed.int(1, 1_000_000_000));
      return index < CREATORS ? this.#create(index, random) : this.#decide(index, random);
    });
    this.#callers = Promise.all(callers);
  }

  /** Returns when each caller has its last answer, or has given up. */
  async end(): Promise<void> {
    this.#isOn = false;
    await this.#callers;
  }

  async ask(path: string, body?: object): Promise<Answer> {
    try {
      const answer = await fetch(`${this.#stage.url}${path}`, {
        ...(body && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return { status: answer.status, body: await answer.json() };
    } catch {
      return { status: 0, body: null };
    }
  }

  /** Decides what people have to decide, until no task is unfinished. @returns those that still are, after the time */
  async finish(limitMs: number): Promise<number> {
    const random = new Random(this.#seed.int(1, 1_000_000_000));
    const deadline = performance.now() + limitMs;
    for (let count = 0; ; count++) {
      const left = await this.#unfinished();
      if (left === 0 || performance.now() > deadline) return left;
      for (const state of ['review', 'blocked']) {
        for (const { id } of await this.#list(state)) {
          const text = `word:finish.${count}.${random.id(8)}`;
          await this.#command(id, state === 'review' ? 'approve' : 'unblock', text);
        }
      }
      await delay(RETRY_MS);
    }
  }

  async #create(caller: number, random: Random): Promise<void> {
    for (let index = 0; this.#isOn; index++) {
      const id = `c${caller}-${index}`;
      const title = `word:${id}.${random.id(8)}`;
      const body = this.#request(id, title, random);
      await delay(random.int(...PAUSE_MS));
      for (;;) {
        const { status } = await this.ask(TASKS, body);
        // The same request again is answered like the first time, by any process.
        if (status === 200 || status === 201) this.ledger.created.set(id, title);
        else this.ledger.note(title, status);
        if ((status >= 200 && status < 429) || !this.#isOn) break;
        await delay(RETRY_MS);
      }
      while (this.#isOn && (await this.#unfinished()) > UNFINISHED) await delay(RETRY_MS);
    }
  }

  #request(id: string, title: string, random: Random): object {
    const known = [...this.ledger.created.keys()];
    const dependency = random.chance(0.1) ? known[random.int(0, known.length)] : undefined;
    return {
      id,
      title,
      agent: random.pick(DRAW),
      review: random.chance(0.8) ? 'auto' : 'manual',
      priority: random.int(1, 10),
      ...(random.chance(0.2) && { delay_seconds: random.next() }),
      ...(dependency !== undefined && { depends_on: [dependency] }),
    };
  }

  async #decide(caller: number, random: Random): Promise<void> {
    for (let index = 0; this.#isOn; index++) {
      await delay(random.int(...PAUSE_MS));
      const text = `word:p${caller}-${index}.${random.id(8)}`;
      const known = [...this.ledger.created.keys()].slice(-40);
      if (known.length === 0) continue;
      const id = random.pick(known);
      const { status, body } = await this.ask(`${TASKS}/${id}`);
      if (status !== 200) continue;
      const decision = decisionFor((body as { status: string }).status, random);
      if (decision === 'comments') {
        this.ledger.note(
          text,
          (await this.ask(`${TASKS}/${id}/comments`, { author: 'a', body: text })).status,
        );
      } else if (decision !== null) await this.#command(id, decision, text);
    }
  }

  async #command(id: string, decision: string, comment: string): Promise<void> {
    const { status } = await this.ask(`${TASKS}/${id}/${decision}`, { comment });
    this.ledger.note(comment, status);
  }

  /** Infinity without an answer. */
  async #unfinished(): Promise<number> {
    const { status, body } = await this.ask('/health');
    if (status !== 200) return Number.POSITIVE_INFINITY;
    const { unfinished_tasks, open_attempts } = body as { unfinished_tasks: number; open_attempts: number };
    return unfinished_tasks + open_attempts;
  }

  async #list(state: string): Promise<readonly { id: string }[]> {
    const { status, body } = await this.ask(`/api/tasks?limit=1000&status=${state}`);
    return status === 200 ? (body as { tasks: { id: string }[] }).tasks : [];
  }
}

/** A command that may be possible; now and then one that is not. */
function decisionFor(state: string, random: Random): string | null {
  if (random.chance(0.03)) return 'approve';
  if (random.chance(0.3)) return 'comments';
  switch (state) {
    case 'review':
      return random.chance(0.7) ? 'approve' : 'reject';
    case 'blocked':
      return 'unblock';
    case 'failed':
      return random.chance(0.2) ? 'retry' : null;
    case 'done':
    case 'cancelled':
      return null;
    default:
      if (random.chance(0.15)) return 'cancel';
      return random.chance(0.15) ? 'block' : null;
  }
}
