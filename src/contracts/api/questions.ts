/** Asking, reading and answering questions over the operations. */
import { z } from 'zod';
import { id, time } from '../fields.ts';
import {
  ANSWER_ACTIONS,
  answerContentSchema,
  formSchema,
  OPTION_KINDS,
  PERMISSION_DECISIONS,
  QUESTION_KINDS,
  questionAboutSchema,
  questionOptionSchema,
  RULE_SCOPES,
} from '../questions.ts';
import { waitSchema } from './jobs.ts';
import { decisionSchema } from './requests.ts';

const optionRequest = z.union(
  [
    z.string().min(1).max(100),
    z.strictObject({
      id: z.string().min(1).max(100),
      label: z.string().min(1).max(2_000).optional(),
      kind: z.enum(OPTION_KINDS).optional(),
    }),
  ],
  'expected an option: its id, or an object with "id", and "label" and "kind" if it has them',
);
const textContent = z.string().describe('Short for "content": {"text": "…"}.');

/** The sizes of texts are limited together, by the size of the question. */
export const askQuestionSchema = z
  .strictObject({
    id: id.optional().describe('The same question with the same id is asked once. Default: generated.'),
    kind: z
      .enum(QUESTION_KINDS)
      .optional()
      .describe('Default: choice if there are options, form if there is a schema, otherwise text.'),
    message: z.string().trim().min(1),
    about: questionAboutSchema.optional().describe('What it is about: tool, input, diff, path.'),
    options: z.array(optionRequest).optional(),
    schema: formSchema.optional().describe('A flat JSON Schema, as in the elicitation of MCP.'),
    url: z.string().max(2_000).optional(),
    expires_in_seconds: z.number().positive().max(31_536_000).optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
    default: z
      .strictObject({ option: z.string().optional(), content: answerContentSchema.optional() })
      .optional()
      .describe('What applies if it expires. Default: it is then declined.'),
    park: z
      .boolean()
      .optional()
      .describe('End the process now: the answer starts the task again, with the session.'),
  })
  .refine((question) => question.expires_at === undefined || question.expires_in_seconds === undefined, {
    message: 'give either "expires_in_seconds" or "expires_at"',
    path: ['expires_at'],
  });
export type AskQuestion = z.output<typeof askQuestionSchema>;

/** A rule that an answer with a lasting option records. */
const rememberSchema = z.strictObject({
  scope: z.enum(RULE_SCOPES).default('task').describe('For this task, or for all tasks of the agent.'),
  input: z
    .string()
    .max(20_000)
    .optional()
    .describe('For which input, with "*" for any text. Default: the input of this question.'),
});

export const answerQuestionSchema = decisionSchema.extend({
  action: z.enum(['accepted', 'declined']).default('accepted'),
  option: z.string().optional().describe('The id of an option.'),
  content: answerContentSchema.optional(),
  text: textContent.optional(),
  remember: rememberSchema
    .optional()
    .describe('For options of the kinds allow_always and reject_always: the rule that is recorded.'),
});
export type AnswerQuestion = z.output<typeof answerQuestionSchema>;

export const readQuestionSchema = z.strictObject({ wait: waitSchema });

export const listQuestionsSchema = z.strictObject({
  project: id.optional().describe('Default: all; for the token of an attempt, its own.'),
  agent: id.optional(),
});
export type ListQuestions = z.output<typeof listQuestionsSchema>;

export const givenAnswerSchema = z.strictObject({
  action: z.enum(ANSWER_ACTIONS),
  option: z.string().nullable(),
  content: answerContentSchema.nullable(),
  comment: z.string().nullable(),
  by: z.string(),
  time,
  /** The rule that it recorded. */
  rule: z.string().nullable(),
});
export type GivenAnswerJson = z.output<typeof givenAnswerSchema>;

export const questionAnswerSchema = z.strictObject({
  project: z.string(),
  task: z.string(),
  attempt: z.int().min(1),
  agent: z.string(),
  id: z.string(),
  kind: z.enum(QUESTION_KINDS),
  message: z.string(),
  about: questionAboutSchema.nullable(),
  options: z.array(questionOptionSchema),
  schema: formSchema.nullable(),
  url: z.string().nullable(),
  asked_at: time,
  expires_at: time.nullable(),
  /** What applies when it expires; null if it is then declined. */
  default: z
    .strictObject({ option: z.string().nullable(), content: answerContentSchema.nullable() })
    .nullable(),
  /** Whether its attempt has been ended, and the answer starts the next one. */
  parked: z.boolean(),
  /** null while it is open. */
  answer: givenAnswerSchema.nullable(),
});
export type QuestionJson = z.output<typeof questionAnswerSchema>;

export const questionListSchema = z.strictObject({ questions: z.array(questionAnswerSchema) });

export const ruleAnswerSchema = z.strictObject({
  /** null for a rule of the configuration. */
  id: z.string().nullable(),
  scope: z.enum(RULE_SCOPES),
  /** `project/task` for a rule of one task. */
  task: z.string().nullable(),
  tool: z.string(),
  input: z.string().nullable(),
  decision: z.enum(PERMISSION_DECISIONS),
  by: z.string(),
  recorded_at: time.nullable(),
});
export type RuleAnswer = z.output<typeof ruleAnswerSchema>;

export const ruleListSchema = z.strictObject({
  default: z.enum(PERMISSION_DECISIONS),
  /** In the order in which they are tried. */
  rules: z.array(ruleAnswerSchema),
});
export type RuleList = z.output<typeof ruleListSchema>;
