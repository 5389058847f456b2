/** Rules: the answer that they give to a permission, and the one that an answer records. */
import { type Projections, type QuestionView, questionsOf, rulesFor } from '../../../../projections/index.ts';
import {
  type AnswerSpec,
  isAllowing,
  isLasting,
  isRejecting,
  type PermissionPolicy,
  type RecordedRule,
} from '../../../contracts/questions.ts';
import { parkedAnswer } from './parked-answers.ts';
import { ASK_ALWAYS, exactGlob, inputGlob, rulingOf } from './permissions.ts';
import type { Remembering } from './question-ref.ts';

/**
 * The answer to a permission by a rule, or by a person to the same permission while an earlier attempt was parked; null if
 * it has to be asked.
 */
export function ruledAnswer(
  { questions }: Projections,
  policy: PermissionPolicy = ASK_ALWAYS,
  view: QuestionView,
): AnswerSpec | null {
  const { kind, about, options = [] } = view.spec;
  if (kind !== 'permission' || about === undefined) return null;
  const { decision, why } = rulingOf(policy, rulesFor(questions, view.agent, view), about);
  if (decision === 'ask') {
    const before = parkedAnswer(questionsOf(questions, view), view);
    if (!before) return null;
    const { action, option, comment = `the same answer as ${before.by} gave before` } = before;
    return { action, option, comment };
  }
  const chosen = options.filter(decision === 'allow' ? isAllowing : isRejecting);
  // A rule must not record another one.
  const option = chosen.find((each) => !isLasting(each)) ?? chosen[0];
  if (decision === 'allow' && !option) return null;
  const action = decision === 'allow' ? 'accepted' : 'declined';
  return { action, option: option?.id, comment: `by ${why}` };
}

/** The rule that an answer records; undefined if it records none. @param remembering null: the caller may make no rules */
export function ruleOf(
  { agent, spec: { kind, about, options = [] } }: QuestionView,
  { option }: AnswerSpec,
  remembering: Remembering | null | undefined,
  newId: () => string,
): RecordedRule | undefined {
  const chosen = options.find(({ id }) => id === option);
  if (remembering === null || kind !== 'permission' || about?.tool === undefined) return undefined;
  if (!chosen || !isLasting(chosen)) return undefined;
  const input = remembering?.input ?? inputGlob(about);
  if (input === undefined) return undefined;
  return {
    id: newId(),
    scope: remembering?.scope ?? 'task',
    agent,
    tool: exactGlob(about.tool),
    input,
    decision: isAllowing(chosen) ? 'allow' : 'deny',
  };
}
