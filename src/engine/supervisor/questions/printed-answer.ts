/** The answer to a question that an agent has left as an output, as in `{"option":"yes","comment":"…"}`. */
import { z } from 'zod';
import { printedJson } from '../../../base/text/printed-json.ts';
import { SignalboxError } from '../../../contracts/errors.ts';
import { type AnswerSpec, answerContentSchema, type QuestionSpec } from '../../../contracts/questions.ts';
import type { Output } from '../../../contracts/tasks.ts';
import { checkedAnswer } from './check.ts';

const printedSchema = z
  .strictObject({
    option: z.string().optional(),
    text: z.string().optional(),
    content: answerContentSchema.optional(),
    action: z.enum(['accepted', 'declined']).default('accepted'),
    comment: z.string().optional(),
  })
  .refine(({ text, content }) => text === undefined || content === undefined);

/** The newest output that the question takes as an answer; null if there is none. */
export function answerIn(
  outputs: readonly Pick<Output, 'content'>[],
  question: QuestionSpec,
): AnswerSpec | null {
  for (const { content } of outputs.toReversed()) {
    const answer = content === undefined ? null : printedJson(content, (value) => taken(value, question));
    if (answer) return answer;
  }
  return null;
}

function taken(value: unknown, question: QuestionSpec): AnswerSpec | null {
  const printed = printedSchema.safeParse(value).data;
  if (printed === undefined) return null;
  const { text, content, ...given } = printed;
  try {
    return checkedAnswer(question, { ...given, content: text === undefined ? content : { text } });
  } catch (error) {
    if (error instanceof SignalboxError) return null;
    throw error;
  }
}
