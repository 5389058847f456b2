/** Answers that a parked attempt could not use: its session asks again when it is resumed. */
import type { QuestionAnswer, QuestionView } from '../../../../projections/index.ts';
import { canonicalJson } from '../../../base/canonical-json.ts';

/**
 * The answer of a person to the same permission, for which an earlier attempt of the task was parked; undefined if there is
 * none, or if it was used.
 * @param asked the questions of the task, oldest first
 */
export function parkedAnswer(asked: readonly QuestionView[], view: QuestionView): QuestionAnswer | undefined {
  const alike = asked.filter((each) => each.id !== view.id && isSamePermission(each, view));
  const last = alike.at(-1); // a later one would have used the answer
  if (last?.parked !== true || last.attempt >= view.attempt) return undefined;
  const { answer } = last;
  return answer?.action === 'accepted' || answer?.action === 'declined' ? answer : undefined;
}

function isSamePermission({ spec: one }: QuestionView, { spec: other }: QuestionView): boolean {
  return (
    one.kind === 'permission' &&
    other.kind === 'permission' &&
    // What was allowed is what was asked: the text and the options belong to it.
    askedBy(one) === askedBy(other)
  );
}

function askedBy({ message, about, options }: QuestionView['spec']): string {
  return canonicalJson([message, about ?? null, options ?? null]);
}
