/** Links that answer one question. */
import { z } from 'zod';
import { time } from '../fields.ts';
import { answerQuestionSchema, questionAnswerSchema } from './questions.ts';

/** In the payload of a webhook, for the event `attempt.question_asked`. */
export const answerLinkSchema = z.strictObject({
  /** GET reads the question, POST answers it. */
  url: z.string(),
  /** For a browser. */
  page: z.string(),
  expires_at: time,
});
export type AnswerLink = z.output<typeof answerLinkSchema>;

/** It records no rule: a link answers one question and nothing else. */
export const linkAnswerSchema = answerQuestionSchema.omit({ remember: true });
export type LinkAnswer = z.output<typeof linkAnswerSchema>;

export const linkedQuestionSchema = questionAnswerSchema.omit({
  project: true,
  task: true,
  agent: true,
  attempt: true,
  parked: true,
  answer: true,
});
export type LinkedQuestion = z.output<typeof linkedQuestionSchema>;

export const linkAnsweredSchema = linkedQuestionSchema.extend({ answered: z.literal(true) });
