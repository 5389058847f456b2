/** What Claude Code asks, as questions, and the answers in its form. */
import { z } from 'zod';
import { cutText } from '../../base/text/cut-text.ts';
import { type FormField, isAllowing, PERMISSION_OPTIONS } from '../../contracts/questions.ts';
import type { RunAnswer } from '../driver.ts';
import type { AgentRequest } from './requests.ts';
import { shownInput } from './shown-input.ts';

export const requestIdSchema = z.string().min(1).max(200);
export const canUseToolSchema = z.object({
  type: z.literal('control_request'),
  request_id: requestIdSchema,
  request: z.object({
    subtype: z.literal('can_use_tool'),
    tool_name: z.string().min(1).max(200),
    input: z.record(z.string(), z.unknown()),
    description: z.string().optional(),
    tool_use_id: z.string().max(200).optional(),
  }),
});
type ToolRequest = z.output<typeof canUseToolSchema>;
/** Characters of an input that an answer repeats. */
const MAX_RETURNED = 1_000;

/** Of the questions of a tool, which an answer repeats: more are no questions to a person. */
const MAX_QUESTIONS_RETURNED = 256 * 1_024;
type Replies = Pick<AgentRequest, 'reply' | 'refusal'>;

/** A tool that is not allowed. */
export function permissionRequest({ request_id, request }: ToolRequest): AgentRequest {
  const { tool_name: tool, input, description } = request;
  const about = { tool, input: shownInput(input), ...pathIn(input) };
  const why = description?.trim() ? `: ${cutText(description.trim(), 1_000)}` : '';
  const returned = inputIfShort(input);
  const message = `May it use ${tool}${why}?`;
  return {
    question: { kind: 'permission', message, about, options: [...PERMISSION_OPTIONS] },
    ...permissionReplies(request_id, returned),
    alias: request.tool_use_id,
    returned,
  };
}

/** Apart from the input, which can be as long as a line: what one function of a scope uses, all of them keep. */
function permissionReplies(id: string, returned: { readonly updatedInput?: object }): Replies {
  return {
    reply: (answer) =>
      answer.chosen !== undefined && isAllowing(answer.chosen) && answer.action !== 'cancelled'
        ? response(id, { behavior: 'allow', ...returned })
        : denial(id, reasonOf(answer)),
    refusal: (why) => denial(id, `Signalbox did not ask for permission: ${why}`),
  };
}

const optionSchema = z.object({ label: z.string().min(1).max(500), description: z.string().optional() });
const questionsSchema = z.object({
  questions: z
    .array(
      z.object({
        question: z.string().min(1).max(5_000),
        header: z.string().optional(),
        multiSelect: z.boolean().optional(),
        options: z.array(optionSchema).min(1).max(50),
      }),
    )
    .min(1)
    .max(20),
});
type Questions = z.output<typeof questionsSchema>['questions'];

/** Its tool AskUserQuestion: one question with options, or a form. Undefined for another tool. */
export function userQuestions({ request_id, request }: ToolRequest): AgentRequest | undefined {
  const { tool_name, tool_use_id, input } = request;
  if (tool_name !== 'AskUserQuestion' || JSON.stringify(input).length > MAX_QUESTIONS_RETURNED)
    return undefined;
  const questions = questionsSchema.safeParse(input).data?.questions;
  const [only] = questions ?? [];
  if (!questions || !only) return undefined;
  const isChoice = questions.length === 1 && only.multiSelect !== true;
  return {
    question: isChoice ? choiceOf(only) : formOf(questions),
    alias: tool_use_id,
    returned: input,
    reply: (answer) => {
      const answers = isChoice ? chosenAnswer(only, answer) : formAnswers(questions, answer);
      return answers
        ? response(request_id, { behavior: 'allow', updatedInput: { ...input, answers } })
        : denial(request_id, reasonOf(answer));
    },
    refusal: (why) => denial(request_id, `Signalbox did not ask: ${why}`),
  };
}

function choiceOf({ question, options }: Questions[number]): AgentRequest['question'] {
  return {
    kind: 'choice',
    message: question,
    about: { tool: 'AskUserQuestion' },
    options: options.map(({ label, description }, index) => ({
      id: String(index + 1),
      label: description ? cutText(`${label}: ${description}`, 1_000) : label,
    })),
  };
}

function chosenAnswer(
  { question, options }: Questions[number],
  { action, option }: RunAnswer,
): Record<string, string> | null {
  const chosen = options[Number(option) - 1];
  return action === 'cancelled' || chosen === undefined ? null : { [question]: chosen.label };
}

function formOf(questions: Questions): AgentRequest['question'] {
  const fields = questions.map(({ question, header, multiSelect, options }, index) => {
    const labels = options.map(({ label }) => label);
    const description = options.map((each) => `${each.label}: ${each.description ?? ''}`).join('\n');
    const texts = { title: header ? `${header}: ${question}` : question, description };
    const field: FormField = multiSelect
      ? { type: 'array', ...texts, items: { type: 'string', enum: labels } }
      : { type: 'string', ...texts, enum: labels };
    return [fieldName(index), field] as const;
  });
  return {
    kind: 'form',
    message: questions.map(({ question }) => question).join('\n'),
    about: { tool: 'AskUserQuestion' },
    schema: {
      type: 'object',
      properties: Object.fromEntries(fields),
      required: fields.map(([name]) => name),
    },
  };
}

function formAnswers(questions: Questions, { action, content }: RunAnswer): Record<string, string> | null {
  if (action === 'cancelled' || content === undefined) return null;
  return Object.fromEntries(
    questions.map(({ question }, index) => [question, [content[fieldName(index)] ?? ''].flat().join(', ')]),
  );
}

function fieldName(index: number): string {
  return `answer_${index + 1}`;
}

/** What the model is told. */
function reasonOf({ action, comment, by }: RunAnswer): string {
  switch (action) {
    case 'accepted':
    case 'declined':
      return comment ?? `${by} declined this.`;
    case 'expired':
      return comment ?? 'There was no answer in time.';
    case 'cancelled':
      return comment ?? 'The question was cancelled.';
  }
}

function response(requestId: string, answer: object): object {
  return {
    type: 'control_response',
    response: { subtype: 'success', request_id: requestId, response: answer },
  };
}

/** Claude Code takes the message as the result of the tool. */
function denial(requestId: string, message: string): object {
  return response(requestId, { behavior: 'deny', message: cutText(message, 3_000) });
}

function pathIn(input: ToolRequest['request']['input']): { path?: string } {
  const path = input.file_path ?? input.notebook_path ?? input.path;
  return typeof path === 'string' ? { path } : {};
}

/** Version 2.1.332 does not need the input back, earlier ones may; a short line cannot be cut on its way. */
function inputIfShort(input: ToolRequest['request']['input']): { updatedInput?: object } {
  return JSON.stringify(input).length > MAX_RETURNED ? {} : { updatedInput: input };
}
