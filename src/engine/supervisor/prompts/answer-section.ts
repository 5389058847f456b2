/** What the prompt of a task that answers a question says of it. */
import type { QuestionView, TaskView } from '../../../../projections/index.ts';
import { cutText } from '../../../base/text/cut-text.ts';
import type { QuestionSpec } from '../../../contracts/questions.ts';
import type { PromptTexts } from './prompt-texts.ts';

/** The question that a task answers, and the task that asks it. */
export interface Answering {
  readonly question: QuestionView;
  readonly task: TaskView;
}

/** Characters of one text of a question. The agent can read the rest. */
const MAX_SHOWN = 50_000;

export function answeringSection({ question, task }: Answering, texts: PromptTexts): string {
  const { message, about, options = [], schema, url } = question.spec;
  const lines = [
    `## ${texts.asked(question.agent, task.id)}`,
    shown(message, texts),
    ...(about?.tool === undefined ? [] : ['', `tool: ${about.tool}`]),
    ...(about?.path === undefined ? [] : [`path: ${about.path}`]),
    ...(about?.input === undefined ? [] : ['input:', shown(jsonOf(about.input), texts)]),
    ...(about?.diff === undefined ? [] : ['diff:', shown(about.diff, texts)]),
    ...(url === undefined ? [] : ['', url]),
  ];
  for (const { id, label } of options) lines.push(`- ${id}${label === id ? '' : `: ${label}`}`);
  if (schema) lines.push('', shown(JSON.stringify(schema, null, 2), texts));
  lines.push('', `### ${texts.askedBy}: ${task.spec.title}`);
  if (task.spec.description !== '') lines.push(shown(task.spec.description, texts));
  return lines.join('\n');
}

/** An answer of the right shape, to be filled in. */
export function sampleAnswer({ kind, options, schema }: QuestionSpec): object {
  const comment = '…';
  if (options?.[0]) return { option: options[0].id, comment };
  if (kind === 'text') return { text: '…' };
  if (kind === 'link') return { comment };
  return { content: Object.fromEntries(Object.keys(schema?.properties ?? {}).map((name) => [name, '…'])) };
}

function jsonOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function shown(text: string, { cut }: PromptTexts): string {
  return text.length <= MAX_SHOWN ? text : `${cutText(text, MAX_SHOWN)}\n${cut}`;
}
