/** Figures about questions, for metrics. */
import { openQuestions, questionOf } from '../../../projections/index.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import type { Needs } from '../context.ts';

/** How many questions are not answered. */
export function countOpenQuestions({ state }: Needs<'state.projections'>): number {
  return openQuestions(state.projections.questions).length;
}

/** Milliseconds that a question has waited for this answer, given at `time`; null if it is not known any more. */
export function waitedMs(
  { state }: Needs<'state.projections'>,
  event: EventOf<'attempt.question_answered'>,
  time: number,
): number | null {
  const asked = questionOf(state.projections.questions, event, event.question);
  return asked ? Math.max(time - asked.askedAt, 0) : null;
}
