/**
 * The questions of agents: they are asked (asking.ts), answered by a rule (rules.ts), by an
 * agent (answering-agents.ts) or by a person (answering.ts), or they expire, and what waits long is parked (deadlines.ts); what
 * nothing waits for suspends no deadline (attendance.ts).
 *
 * Which questions are open follows from the log, so a restart and a takeover find them as they were; one that expired
 * meanwhile gets its default then.
 */
import { openQuestions, type QuestionView, questionOf } from '../../../../projections/index.ts';
import type { EventOf } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef } from '../../../contracts/ids.ts';
import type { QuestionSpec } from '../../../contracts/questions.ts';
import type { RunAnswer } from '../../../drivers/driver.ts';
import type { AttemptKeeper } from '../attempt-keeper.ts';
import { Answering, type AnsweringParts } from './answering.ts';
import { AnsweringAgents } from './answering-agents.ts';
import { Asking, type AskingParts } from './asking.ts';
import { Attendance } from './attendance.ts';
import type { GivenAnswer } from './check.ts';
import type { CircleParts } from './circles.ts';
import { QuestionDeadlines } from './deadlines.ts';
import type { QuestionRef, Remembering } from './question-ref.ts';
import { ruledAnswer } from './rules.ts';

interface QuestionKeeperParts
  extends AskingParts,
    AnsweringParts,
    Pick<CircleParts, 'concurrency' | 'projectConcurrency'> {
  readonly attempts: Pick<AttemptKeeper, 'requestStop'>;
}

export class QuestionKeeper {
  readonly #options: QuestionKeeperParts;
  readonly #asking: Asking;
  readonly #answering: Answering;
  readonly #deadlines: QuestionDeadlines;
  readonly #attendance: Attendance;
  /** The agents that answer. */
  readonly agents: AnsweringAgents;

  constructor(options: QuestionKeeperParts) {
    this.#options = options;
    this.#asking = new Asking(options);
    this.#answering = new Answering(options);
    this.#deadlines = new QuestionDeadlines({
      ...options,
      answer: (question, answer) => this.#answering.decide(question, answer),
    });
    this.#attendance = new Attendance(options);
    this.agents = new AnsweringAgents({
      ...options,
      answer: (question, answer, actor) =>
        this.#answering.decide({ ...question, question: question.id }, answer, actor),
    });
  }

  /**
   * Asks a question of an attempt that is open. The same question again (the same id and content) is asked once.
   * @param id generated if absent. @returns the stored question
   * @throws SignalboxError `stale_attempt`, `question_exists`, `too_many_questions`, `question_too_large`, `invalid_request`
   */
  async ask(ref: AttemptRef, id: string | undefined, given: QuestionSpec): Promise<QuestionView> {
    const question = await this.#asking.ask(ref, id, given);
    // Asked again, it is asked for again.
    this.attend(ref, question)();
    return this.#answering.view({ ...ref, question });
  }

  /**
   * Asks a question of the program that an attempt runs: the program waits for the answer by itself.
   * @throws SignalboxError as `ask`
   */
  async askFor(ref: AttemptRef, id: string, given: QuestionSpec): Promise<void> {
    // Also if it was asked before: what waited for the answer then is not known after a start.
    this.#attendance.hold(ref, id);
    await this.ask(ref, id, given);
  }

  /** The attempt asks for the answer to its question. @returns to be called when it waits no longer */
  attend(ref: AttemptRef, question: string): () => void {
    return this.#attendance.begin(ref, question);
  }

  /** As `Answering.answer`. */
  answer(
    ref: QuestionRef,
    given: GivenAnswer,
    actor: string,
    remembering?: Remembering | null,
  ): Promise<QuestionView> {
    return this.#answering.answer(ref, given, actor, remembering);
  }

  /** As `Answering.cancel`. */
  cancel(ref: QuestionRef, comment: string | undefined, actor: string): Promise<QuestionView> {
    return this.#answering.cancel(ref, comment, actor);
  }

  /** The secret of the link that answers this question. */
  linkSecretOf(ref: QuestionRef): string {
    return this.#asking.linkSecretOf(ref);
  }

  /** Does what is due for every open question. Call it once, after the attempts were resumed. */
  takeUpAll(): void {
    for (const view of openQuestions(this.#options.projections.questions)) this.#takeUp(view);
  }

  /** Reacts to a stored question. */
  onAsked(event: EventOf<'attempt.question_asked'>): void {
    const view = questionOf(this.#options.projections.questions, event, event.question);
    if (view) this.#takeUp(view);
  }

  /** Reacts to a stored answer. */
  onAnswered(event: EventOf<'attempt.question_answered'>): void {
    const { questions } = this.#options.projections;
    this.#deadlines.forget(event);
    if (event.attempt !== null) this.#onAttemptAnswered({ ...event, attempt: event.attempt });
    const answered = questionOf(questions, event, event.question);
    if (answered) this.agents.onAnswered(answered);
    if (!event.rule) return;
    for (const view of openQuestions(questions)) {
      if (view.agent === event.rule.agent) this.#decideByRule(view);
    }
  }

  /** Reacts to a stored `attempt.wait_resumed`. */
  onWaiting(ref: AttemptRef): void {
    const { host, projections } = this.#options;
    const open = host.get('attempt', attemptKey(ref))?.context.questions ?? [];
    for (const question of open) {
      const view = questionOf(projections.questions, ref, question);
      if (view) this.#deadlines.watchWait(view);
    }
    this.#attendance.check(ref);
  }

  /** The start of an attempt is recorded, or it has ended: its questions can be asked, or are refused. */
  onSettled(ref: AttemptRef): void {
    this.#asking.onSettled(ref);
    if (this.#options.host.get('attempt', attemptKey(ref))) return;
    this.#deadlines.keep(ref);
    this.#attendance.forgetAll(ref);
  }

  /** As `Answering.withdraw`. */
  withdraw(ref: AttemptRef, question: string): void {
    this.#answering.withdraw(ref, question);
  }

  /** As `Answering.cancelOpen`. */
  cancelOpen(ref: TaskRef, reason: string): void {
    this.#answering.cancelOpen(ref, reason);
  }

  /** The answers to the questions of an attempt, for its run. */
  answersFor(ref: AttemptRef): RunAnswer[] {
    return this.#answering.answersFor(ref);
  }

  answerTo(ref: QuestionRef): RunAnswer | null {
    return this.#answering.answerTo(ref);
  }

  #takeUp(view: QuestionView): void {
    if (this.#decideByRule(view)) return;
    this.#deadlines.watch(view);
    this.#attendance.check(view);
    this.agents.takeUp(view);
  }

  #onAttemptAnswered({
    question,
    deadline_ms,
    ...ref
  }: AttemptRef & EventOf<'attempt.question_answered'>): void {
    this.#attendance.forget(ref, question);
    if (deadline_ms === undefined) this.#attendance.check(ref);
    else this.#deadlines.keep(ref);
  }

  /** @returns whether a rule has answered it */
  #decideByRule(view: QuestionView): boolean {
    const { projections, roster } = this.#options;
    const answer = ruledAnswer(projections, roster.get(view.agent)?.questions?.permissions, view);
    if (answer) this.#answering.decide({ ...view, question: view.id }, answer);
    return answer !== null;
  }
}
