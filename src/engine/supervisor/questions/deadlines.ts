/** Deadlines of open questions: when one expires and its default applies, and when the attempt that waits is parked. */
import type { QuestionView } from '../../../../projections/index.ts';
import { type AttemptRef, attemptKey } from '../../../contracts/ids.ts';
import type { AnswerSpec } from '../../../contracts/questions.ts';
import type { AttemptKeeper } from '../attempt-keeper.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { type QuestionRef, questionKey } from './question-ref.ts';

interface QuestionDeadlinesParts extends SupervisorContext {
  readonly attempts: Pick<AttemptKeeper, 'requestStop'>;
  /** Answers a question, if it is open. */
  readonly answer: (question: QuestionRef, answer: AnswerSpec) => void;
}

export class QuestionDeadlines {
  readonly #options: QuestionDeadlinesParts;

  constructor(options: QuestionDeadlinesParts) {
    this.#options = options;
  }

  /** An open question was stored, or found at the start. What is due already is done. */
  watch(view: QuestionView): void {
    const { expires_at_ms: expiresAt } = view.spec;
    const key = questionKey({ ...view, question: view.id });
    if (expiresAt !== undefined)
      this.#options.timers.set(`question:${key}`, expiresAt, () => this.#expire(view));
    this.watchWait(view);
  }

  /** The attempt waits for the answer to this question: when is it parked? */
  watchWait(view: QuestionView): void {
    const { timers, host, roster } = this.#options;
    const { park } = view.spec;
    const entity = host.get('attempt', attemptKey(view));
    if (entity?.state !== 'waiting') return;
    const parkAfterMs = park === true ? 0 : roster.get(view.agent)?.questions?.parkAfterMs;
    if (parkAfterMs === undefined) return;
    if (parkAfterMs === 0) return this.#park(view);
    const at = (entity.context.waitingSince ?? view.askedAt) + parkAfterMs;
    timers.set(`park:${attemptKey(view)}`, at, () => this.#park(view));
  }

  /** The question has its answer. */
  forget(question: QuestionRef): void {
    this.#options.timers.cancel(`question:${questionKey(question)}`);
  }

  /** The attempt waits no longer. */
  keep(attempt: AttemptRef): void {
    this.#options.timers.cancel(`park:${attemptKey(attempt)}`);
  }

  #park(ref: AttemptRef): void {
    if (this.#options.host.get('attempt', attemptKey(ref))?.state === 'waiting')
      this.#options.attempts.requestStop(ref, 'parked');
  }

  #expire({ spec, id, ...ref }: QuestionView): void {
    const { option, content } = spec.default ?? {};
    this.#options.answer({ ...ref, question: id }, { action: 'expired', option, content });
  }
}
