/**
 * Answering: who answers first, and what the log then has.
 *
 * Invariant questions/answered-once: a question has exactly one answer in the log, the first. A later one gets
 * `question_answered`, with the answer that counts.
 */
import { type QuestionView, questionOf, questionsOf } from '../../../../projections/index.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import type { EventOf } from '../../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../../contracts/ids.ts';
import {
  type AnswerSpec,
  NO_LONGER_WAITS,
  type QuestionOption,
  type RecordedRule,
} from '../../../contracts/questions.ts';
import type { RunAnswer } from '../../../drivers/driver.ts';
import type { CommitPipeline } from '../../runtime/commit-pipeline.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { checkedAnswer, type GivenAnswer } from './check.ts';
import { type QuestionRef, questionKey, type Remembering } from './question-ref.ts';
import { ruleOf } from './rules.ts';
import { Underway } from './underway.ts';

export interface AnsweringParts extends SupervisorContext {
  readonly pipeline: CommitPipeline;
}

const RULE_ID_LENGTH = 12;
const ACTOR = 'supervisor';

export class Answering {
  readonly #options: AnsweringParts;
  readonly #underway = new Underway();

  constructor(options: AnsweringParts) {
    this.#options = options;
  }

  /**
   * Answers a question. The caller has checked who may.
   * @param remembering what a lasting option records; null: nothing
   * @throws SignalboxError `question_not_found`, `question_answered`, `option_not_offered`, `answer_invalid`,
   * `answer_too_large`
   */
  answer(
    ref: QuestionRef,
    given: GivenAnswer,
    actor: string,
    remembering?: Remembering | null,
  ): Promise<QuestionView> {
    return this.#commit(ref, actor, (view) => {
      const answer = checkedAnswer(view.spec, given);
      const { environment } = this.#options;
      const rule = ruleOf(view, answer, remembering, () => environment.randomId(RULE_ID_LENGTH));
      return { answer, rule };
    });
  }

  /**
   * Answers a question as cancelled. The caller has checked who may.
   * @throws SignalboxError `question_not_found`, `question_answered`
   */
  cancel(ref: QuestionRef, comment: string | undefined, actor: string): Promise<QuestionView> {
    return this.#commit(ref, actor, () => ({ answer: { action: 'cancelled', comment } }));
  }

  /** The agent no longer waits for an answer to this question of its attempt. Does nothing if it has one. */
  withdraw({ project, task, attempt }: AttemptRef, question: string): void {
    const isAsked = this.#options.host
      .get('attempt', attemptKey({ project, task, attempt }))
      ?.context.questions.includes(question);
    if (isAsked) this.decide({ project, task, question }, { action: 'cancelled', comment: NO_LONGER_WAITS });
  }

  /** Answers the open questions of a task as cancelled. @param reason for a reader */
  cancelOpen(ref: TaskRef, reason: string): void {
    const open = this.#options.host.get('task', taskKey(ref))?.context.questions ?? [];
    for (const question of open) this.decide({ ...ref, question }, { action: 'cancelled', comment: reason });
  }

  /** Answers a question as Signalbox. Does nothing if it is answered. */
  decide(ref: QuestionRef, answer: AnswerSpec, actor = ACTOR): void {
    const key = questionKey(ref);
    if (!this.#isOpen(ref) || this.#underway.has(key)) return;
    const committed = this.#options.pipeline.commit(this.#eventOf(ref, answer), { actor });
    void this.#underway
      .note(key, committed)
      .catch((error: unknown) =>
        this.#options.logger.warn({ err: error, question: key }, 'a question could not be answered'),
      );
  }

  /** The answers to the questions of an attempt, for its run. */
  answersFor(ref: AttemptRef): RunAnswer[] {
    return questionsOf(this.#options.projections.questions, ref)
      .filter(({ attempt }) => attempt === ref.attempt)
      .flatMap((view) => runAnswerOf(view) ?? []);
  }

  answerTo(ref: QuestionRef): RunAnswer | null {
    const view = questionOf(this.#options.projections.questions, ref, ref.question);
    return view ? runAnswerOf(view) : null;
  }

  /** @throws SignalboxError `question_not_found` */
  view(ref: QuestionRef): QuestionView {
    const view = questionOf(this.#options.projections.questions, ref, ref.question);
    if (view) return view;
    const { project, task, question } = ref;
    const message = `task ${task} in project ${project} has no question ${question}`;
    throw new SignalboxError('question_not_found', message, { details: { project, task, question } });
  }

  /** @throws SignalboxError `question_not_found`, `question_answered`, and what `answerOf` throws */
  async #commit(
    ref: QuestionRef,
    actor: string,
    answerOf: (view: QuestionView) => {
      readonly answer: AnswerSpec;
      readonly rule?: RecordedRule | undefined;
    },
  ): Promise<QuestionView> {
    const key = questionKey(ref);
    // From the last look on nothing is awaited: the first caller decides.
    for (let each = this.#underway.of(key); each; each = this.#underway.of(key)) await each;
    const { answer, rule } = answerOf(this.#unanswered(ref));
    const event = this.#eventOf(ref, answer, rule);
    await this.#underway.note(key, this.#options.pipeline.commit(event, { actor }));
    return this.view(ref);
  }

  #eventOf(
    { project, task, question }: QuestionRef,
    answer: AnswerSpec,
    rule?: RecordedRule,
  ): EventOf<'attempt.question_answered'> {
    const { host, environment } = this.#options;
    const attempt = host.get('task', taskKey({ project, task }))?.context.openAttempt ?? null;
    const entity = attempt === null ? undefined : host.get('attempt', attemptKey({ project, task, attempt }));
    const { questions = [], waitingSince = null, deadline = null } = entity?.context ?? {};
    const isLast = entity?.state === 'waiting' && questions.length === 1 && questions[0] === question;
    const waitedMs = waitingSince === null ? 0 : Math.max(0, environment.clock.now() - waitingSince);
    return {
      type: 'attempt.question_answered',
      project,
      task,
      attempt: questions.includes(question) ? attempt : null,
      question,
      ...answer,
      rule,
      deadline_ms: isLast && deadline !== null ? Math.round(deadline + waitedMs) : undefined,
    };
  }

  /** @throws SignalboxError `question_not_found`, `question_answered` */
  #unanswered(ref: QuestionRef): QuestionView {
    const view = this.view(ref);
    if (view.answer === null) return view;
    const { action, option, by } = view.answer;
    const how = option === undefined ? action : `${action}, option ${option}`;
    throw new SignalboxError(
      'question_answered',
      `question ${ref.question} of task ${ref.task} was answered by ${by} (${how}): that answer counts`,
      { details: { ...ref, answer: view.answer } },
    );
  }

  /** Whether it is open, decisions that are not stored included. */
  #isOpen(ref: QuestionRef): boolean {
    return this.#options.host.get('task', taskKey(ref))?.context.questions.includes(ref.question) ?? false;
  }
}

function runAnswerOf({ id, answer, spec }: QuestionView): RunAnswer | null {
  if (answer === null) return null;
  const { action, option, content, comment, by } = answer;
  const chosen: QuestionOption | undefined = spec.options?.find((each) => each.id === option);
  return { question: id, action, option, chosen, content, comment, by };
}
