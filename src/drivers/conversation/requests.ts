/**
 * The requests of a program: each becomes a question, and each is answered once.
 *
 * What is open follows from what the program has printed; which questions have an answer is in the log; which answers were
 * sent is recorded beside the process. So after a crash at any point the open ones are asked, or their answers sent.
 */
import { sha256 } from '../../base/hash.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { attemptKey } from '../../contracts/ids.ts';
import type { RunAnswer, RunQuestion } from '../driver.ts';
import type { Link } from './protocol.ts';

/** A request as the protocol understands it. */
export interface AgentRequest {
  readonly question: Omit<RunQuestion, 'id'>;
  readonly reply: (answer: RunAnswer) => object;
  /** The reply if it cannot be asked. */
  readonly refusal: (why: string) => object;
}

interface Open {
  readonly key: string;
  readonly request: AgentRequest;
  state: 'found' | 'asked' | 'replied';
  /** Milliseconds of the monotonic clock. */
  retryAt: number;
}

/** More requests of one attempt are refused: no agent that works asks as often. */
const MAX_REQUESTS = 20_000;
/** Open at the same time. */
const MAX_OPEN = 1_000;
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
    const open: Open = { key: answerKey(question), request, state: 'found', retryAt: 0 };
    if (this.#count > MAX_REQUESTS || this.#open.size >= MAX_OPEN) {
      void this.#link.send(open.key, request.refusal('it has asked too many questions'));
      return;
    }
    this.#open.set(question, open);
  }

  /** The program no longer waits for an answer. */
  over(id: string): void {
    this.#end(this.#questionOf(id));
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
    for (const [question, open] of this.#open)
      this.#reply(open, { question, action: 'cancelled', by: 'supervisor' });
    this.#open.clear();
  }

  /** Asks what is open. */
  caughtUp(): void {
    this.#hasCaughtUp = true;
    const now = performance.now();
    for (const [question, open] of this.#open) {
      if (open.state !== 'found' || open.retryAt > now) continue;
      open.state = 'asked';
      void this.#ask(question, open);
    }
  }

  answer(answer: RunAnswer): void {
    const open = this.#open.get(answer.question);
    if (open && this.#hasCaughtUp) this.#reply(open, answer);
    else if (this.#early.size < MAX_EARLY_ANSWERS) this.#early.set(answer.question, answer);
  }

  async #ask(id: string, open: Open): Promise<void> {
    const early = this.#early.get(id);
    if (early) return this.#reply(open, early);
    if (await this.#link.wasSent(open.key)) {
      open.state = 'replied';
      return;
    }
    try {
      await this.#link.request.ask({ ...open.request.question, id });
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
      open.state = 'replied';
      void this.#link.send(open.key, open.request.refusal(messageOf(error)));
    }
  }

  #end(question: string): void {
    if (this.#open.delete(question)) this.#link.request.withdraw(question);
  }

  #reply(open: Open, answer: RunAnswer): void {
    if (open.state === 'replied') return;
    open.state = 'replied';
    this.#early.delete(answer.question);
    void this.#link.send(open.key, open.request.reply(answer));
  }

  /** The same whenever the request is found again, and different for each attempt. */
  #questionOf(id: string): string {
    return sha256(`${attemptKey(this.#link.request)}:${id}`).slice(0, 32);
  }
}

function answerKey(question: string): string {
  return `answer:${question}`;
}
