/** A question and its answer in words, for the command line, the page and reports. */
import type { GivenAnswerJson, QuestionJson } from './api/questions.ts';

/** As in `accepted, option yes, by ann: all but the newest`. */
export function answerText(answer: GivenAnswerJson): string {
  const { action, option, content, comment, by } = answer;
  const parts = [
    action,
    ...(option === null ? [] : [`option ${option}`]),
    ...(content === null ? [] : [JSON.stringify(content)]),
    `by ${by}`,
  ];
  return `${parts.join(', ')}${comment === null ? '' : `: ${comment}`}`;
}

/** What happens without an answer, as in `at 2030-01-31T12:00:00.000Z option no applies`. */
export function defaultText({ expires_at, default: given }: QuestionJson): string {
  if (expires_at === null) return 'it stays open until it is answered';
  if (given?.option) return `at ${expires_at} option ${given.option} applies`;
  if (given?.content) return `at ${expires_at} ${JSON.stringify(given.content)} applies`;
  return `at ${expires_at} it is declined`;
}
