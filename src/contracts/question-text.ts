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

/**
 * What happens without an answer, as in `at 2030-01-31T12:00:00.000Z option no applies`.
 * @param timeText shows the time, which is RFC 3339
 */
export function defaultText(
  { expires_at, default: given }: Pick<QuestionJson, 'expires_at' | 'default'>,
  timeText: (time: string) => string = (time) => time,
): string {
  if (expires_at === null) return 'it stays open until it is answered';
  const at = `at ${timeText(expires_at)}`;
  if (given?.option) return `${at} option ${given.option} applies`;
  return given?.content ? `${at} ${JSON.stringify(given.content)} applies` : `${at} it is declined`;
}
