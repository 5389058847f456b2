/**
 * The requests of a program: each becomes a question, and each is answered once.
 *
 * What is open follows from what the program has printed; which questions have an answer is in the log; which answers were
 * sent is recorded beside the process. So after a crash at any point the open ones are asked, or their answers sent.
 */
import { sha256 } from '../../base/hash.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../../contracts/ids.ts';
import type { RunAnswer, RunQuestion } from '../driver.ts';
import type { Link } from './protocol.ts';

/** A request as the protocol understands it. Its functions keep no more of what the program printed than they need. */
export interface AgentRequest {
  /** Another name by which the program may say that it is over. */
  readonly alias?: string | undefined;
  readonly question: Omit<RunQuestion, 'id'>;
  readonly reply: (answer: RunAnswer) => object;
  /** The reply if it cannot be asked. */
  readonly refusal: (why: string) => object;
  /** What the reply repeats of the program's own words. */
  readonly returned?: object | undefined;
}

interface Open {
  readonly key: string;
  readonly alias: string | undefined;
  readonly bytes: number;
  /** Null once there is a reply. */
  request: AgentRequest | null;
  state: 'found' | 'asked';
  /** Milliseconds of the monotonic clock. */
  retryAt: number;
}

/** More requests of one attempt are refused: no agent that works asks as often. */
const MAX_REQUESTS = 20_000;
/** Open at the same time. */
const MAX_OPEN = 1_000;
/** Of all that wait for a reply. One line of a program can have 16 MiB. */
const MAX_OPEN_BYTES = 64 * 1_024 * 1_024;
/** Answers that are kept for requests that were not read yet. */
const MAX_EARLY_ANSWERS = 2_000;
/** Milliseconds until a question is asked again, if the log could not take it. */
const RETRY_MS = 5_000;
/** Refusals that asking again would not change. */
const FINAL_CODES: readonly string[] = ['too_many_questions', 'question_too_large', 'invalid_request'];

export class Requests {
  readonly #link: Link;
  /** By question id. */
  readonly #open = new Map<string, Open>();
  /** Question ids by alias. */
  readonly #aliases = new Map<string, string>();
  #openBytes = 0;
  readonly #early = new Map<string, RunAnswer>();
  #count = 0;
  /** Before, it is not known what the program has got already. */
  #hasCaughtUp = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** The program asks. @param id its own name for the request */
  found(id: string, request: AgentRequest): void {
    const question = this.#questionOf(id);
    if (this.#open.has(question)) return;
    this.#count += 1;
    const key = answerKey(question);
    const bytes = JSON.stringify([request.question, request.returned]).length;
    const isTooMuch = this.#openBytes + bytes > MAX_OPEN_BYTES;
    if (this.#count > MAX_REQUESTS || this.#open.size >= MAX_OPEN || isTooMuch) {
      const why = isTooMuch
        ? `its open questions would take more than ${MAX_OPEN_BYTES} bytes`
        : 'it has asked too many questions';
      void this.#link.send(key, request.refusal(why));
      return;
    }
    const { alias } = request;
    // A copy: a part of a text keeps the whole in memory.
    const kept = { ...request, question: structuredClone(request.question) };
    this.#open.set(question, { key, alias, bytes, request: kept, state: 'found', retryAt: 0 });
    this.#openBytes += bytes;
    if (alias !== undefined) this.#aliases.set(alias, question);
  }

  /** The program no longer waits for an answer. */
  over(id: string): void {
    this.#end(this.#questionOf(id));
  }

  /** The same, by the other name of the request. */
  overByAlias(alias: string): void {
    const question = this.#aliases.get(alias);
    if (question !== undefined) this.#end(question);
  }

  /** The program itself says that it has the answer. */
  acknowledged(id: string): void {
    this.#link.note(answerKey(this.#questionOf(id)));
    this.over(id);
  }

  allOver(): void {
    for (const question of [...this.#open.keys()]) this.#end(question);
  }

  /** Whether the program waits for an answer. */
  get areOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Answers what is open as cancelled, also what was not asked yet. The questions stay: their answers may be wanted later. */
  cancelAll(): void {
    for (const [question, open] of [...this.#open]) {
      this.#reply(open, { question, action: 'cancelled', by: 'supervisor' });
      this.#drop(question);
    }
  }

  /** Asks what is open. */
  caughtUp(): void {
    this.#hasCaughtUp = true;
    const now = performance.now();
    for (const [question, open] of this.#open) {
      if (open.state !== 'found' || open.request === null || open.retryAt > now) continue;
      open.state = 'asked';
      void this.#ask(question, open, open.request);
    }
  }

  answer(answer: RunAnswer): void {
    const open = this.#open.get(answer.question);
    if (open && this.#hasCaughtUp) this.#reply(open, answer);
    else if (this.#early.size < MAX_EARLY_ANSWERS) this.#early.set(answer.question, answer);
  }

  async #ask(id: string, open: Open, request: AgentRequest): Promise<void> {
    const early = this.#early.get(id);
    if (early) return this.#reply(open, early);
    if (await this.#link.wasSent(open.key)) {
      this.#take(open);
      return;
    }
    try {
      await this.#link.request.ask({ ...request.question, id });
      // It was over while it was being asked.
      if (this.#open.get(id) !== open) this.#link.request.withdraw(id);
    } catch (error) {
      // It was asked, by an earlier version in other words.
      if (error instanceof SignalboxError && error.code === 'question_exists') return;
      if (!(error instanceof SignalboxError) || !FINAL_CODES.includes(error.code)) {
        open.retryAt = performance.now() + RETRY_MS;
        open.state = 'found';
        return;
      }
      if (this.#take(open)) void this.#link.send(open.key, request.refusal(messageOf(error)));
    }
  }

  #end(question: string): void {
    if (this.#drop(question)) this.#link.request.withdraw(question);
  }

  /** @returns whether it was open */
  #drop(question: string): boolean {
    const open = this.#open.get(question);
    if (open === undefined) return false;
    this.#take(open);
    this.#open.delete(question);
    const { alias } = open;
    if (alias !== undefined && this.#aliases.get(alias) === question) this.#aliases.delete(alias);
    return true;
  }

  #reply(open: Open, answer: RunAnswer): void {
    this.#early.delete(answer.question);
    const request = this.#take(open);
    if (request) void this.#link.send(open.key, request.reply(answer));
  }

  /** What is open gets one reply, and is not held any longer. @returns null if it has one already */
  #take(open: Open): AgentRequest | null {
    const { request } = open;
    if (request !== null) this.#openBytes -= open.bytes;
    open.request = null;
    return request;
  }

  #questionOf(id: string): string {
    return questionIdOf(this.#link.request, id);
  }
}

/** The question that a request becomes: the same whenever it is found again, and different for each attempt. */
export function questionIdOf(attempt: AttemptRef, request: string): string {
  return sha256(`${attemptKey(attempt)}:${request}`).slice(0, 32);
}

function answerKey(question: string): string {
  return `answer:${question}`;
}
