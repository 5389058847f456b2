/** What a task waits for whose agent has asked. */
import type { AttemptView } from '../../../projections/index.ts';
import { cutText } from '../../base/text/cut-text.ts';
import { answerCommand } from '../../contracts/api/next-command.ts';
import type { WaitAnswer } from '../../contracts/api/why.ts';
import { defaultText } from '../../contracts/question-text.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { questionJson } from '../questions/question-json.ts';
import { because, type OpenQuestion } from './situation.ts';
import { timeOf } from './task-json.ts';

export interface Reasons {
  readonly waits: WaitAnswer[];
  readonly next: string;
}

/** @param then what happens when all of them are answered */
export function explainQuestions(questions: readonly OpenQuestion[], then: string): Reasons {
  const waits = questions.map(({ id, spec, agent, attempt, answering }): WaitAnswer => {
    const detail = `agent ${agent} waits for an answer to question ${id}: ${excerpt(spec.message)}${answeringText(answering)}`;
    const until = timeOf(spec.expires_at_ms ?? null) ?? undefined;
    const tasks = answering === null ? undefined : [answering.id];
    return { kind: 'answer', detail, agent, attempt, until, tasks };
  });
  const [first] = questions.map(questionJson);
  if (!first) return { waits, next: then };
  const offered = first.options.map(({ id }) => id).join(' or ');
  const command = `${answerCommand(first)}${offered && ` (${offered})`}`;
  const expiry = first.expires_at === null ? '' : `; without an answer ${defaultText(first)}`;
  return { waits, next: `${then} when it is answered: ${command}${expiry}` };
}

/** An attempt with open questions for whose answers nothing asks: its time counts. */
export function explainUnattended(
  { waits, next }: Reasons,
  { agent, attempt, deadline }: Pick<AttemptView, 'agent' | 'attempt' | 'deadline'>,
): Reasons {
  const until = timeOf(deadline) ?? undefined;
  const detail = `nothing of the agent asks for the answer any more, so the time of attempt ${attempt} counts again`;
  const stop =
    until === undefined ? '' : `; it is stopped at ${until}, unless the agent asks for the answer again`;
  return { waits: [...waits, { kind: 'running', detail, agent, attempt, until }], next: `${next}${stop}` };
}

function answeringText(answering: OpenQuestion['answering']): string {
  if (answering === null) return '';
  const { id, state, agent, reason } = answering;
  const isOver = SETTLED_STATES.has(state) || state === 'blocked';
  return isOver
    ? ` (agent ${agent} gave no answer: its task ${id} is ${state}${because(reason)})`
    : ` (agent ${agent} answers it: its task ${id} is ${state})`;
}

const MAX_MESSAGE_LENGTH = 200;

function excerpt(text: string): string {
  return cutText(text, MAX_MESSAGE_LENGTH, '…');
}
