/** `signalbox question`: what agents ask, and answering it. */
import { Argument, type Command, Option } from 'commander';
import { oneLine, printable } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { QuestionJson } from '../../contracts/api/questions.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import { answerText, defaultText } from '../../contracts/question-text.ts';
import { RULE_SCOPES } from '../../contracts/questions.ts';
import { jsonObjectOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import {
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withDecision,
  withServer,
} from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

interface FilterOptions extends ServerOptions {
  readonly project?: string;
  readonly agent?: string;
}

const ls: CommandRow = {
  name: 'ls',
  summary: 'list open questions',
  description: 'Lists the open questions of all agents, oldest first.',
  examples: [
    ['List all open questions', 'signalbox question ls'],
    ['Ids of the questions of one agent', "signalbox question ls --agent writer --json | jq -r '.[].id'"],
  ],
  add: (command, terminal) =>
    withServer(command)
      .option('--project <id>', 'only of this project')
      .option('--agent <id>', 'only of this agent')
      .action(async (options: FilterOptions) => {
        const { project, agent } = options;
        const { questions: rows } = await clientOf(options).listQuestions({ project, agent });
        printList(terminal, options, { rows, columns, empty: 'no agent waits for an answer' });
      }),
};

function columns(now: number): readonly Column<QuestionJson>[] {
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    { title: 'TASK', text: (question) => taskKey(question) },
    { title: 'AGENT', text: ({ agent }) => agent },
    { title: 'AGE', text: ({ asked_at }) => ageText(asked_at, now), align: 'right' },
    { title: 'OPTIONS', text: ({ options, kind }) => options.map(({ id }) => id).join(' ') || `(${kind})` },
    { title: 'QUESTION', text: ({ message }) => oneLine(message) },
  ];
}

interface TaskOption {
  readonly project?: string;
  readonly task?: string;
}

/** Ids that Signalbox makes are unique; an agent may choose one that several tasks have. */
function withQuestion(command: Command): Command {
  return command
    .addArgument(new Argument('<id>', 'the question'))
    .addOption(new Option('--project <id>', 'project of its task, if several tasks have such a question'))
    .addOption(new Option('--task <id>', 'its task; needed for a question that is answered'));
}

/** @throws SignalboxError `question_not_found`, `invalid_request` */
async function find(
  client: SignalboxClient,
  question: string,
  { project, task }: TaskOption,
): Promise<QuestionJson> {
  if (task !== undefined)
    return client.readQuestion({
      project: project ?? process.env.SIGNALBOX_PROJECT ?? 'default',
      task,
      question,
    });
  const { questions } = await client.listQuestions({ project });
  const [found, other] = questions.filter(({ id }) => id === question);
  if (!found) {
    throw new SignalboxError(
      'question_not_found',
      `no question ${JSON.stringify(question)} is open: list them with "signalbox question ls", or name the task of an answered one with --task`,
    );
  }
  if (!other) return found;
  throw new SignalboxError(
    'invalid_request',
    `tasks ${taskKey(found)} and ${taskKey(other)} both ask ${question}: give --project and --task`,
  );
}

const show: CommandRow = {
  name: 'show',
  summary: 'show a question',
  description:
    'Shows a question whole, with what it is about, its options, and what applies without an answer.',
  examples: [['Show one question', 'signalbox question show k3v9x2m1q8zt']],
  add: (command, terminal) =>
    withQuestion(withServer(command)).action(async (id: string, options: ServerOptions & TaskOption) => {
      const question = await find(clientOf(options), id, options);
      printAnswer(terminal, options, question, questionLines);
    }),
};

function questionLines(question: QuestionJson): string[] {
  const { about, options, schema, url, answer } = question;
  const lines = [
    `question ${question.id} of task ${taskKey(question)}, agent ${question.agent}, attempt ${question.attempt}`,
    '',
    ...question.message.split('\n'),
  ];
  if (about?.tool) lines.push('', `tool   ${about.tool}`);
  if (about?.path) lines.push(`path   ${about.path}`);
  if (about?.input !== undefined) {
    const { input } = about;
    lines.push('input', ...(typeof input === 'string' ? input : JSON.stringify(input, null, 2)).split('\n'));
  }
  if (about?.diff) lines.push('diff', ...about.diff.split('\n'));
  if (url) lines.push('', `open   ${url}`);
  if (schema) lines.push('', ...JSON.stringify(schema.properties, null, 2).split('\n'));
  if (options.length > 0) lines.push('');
  for (const { id, label } of options) lines.push(`--option ${id}${label === id ? '' : `  ${label}`}`);
  lines.push('', answer === null ? `open: ${defaultText(question)}` : answerText(answer));
  return lines.map(printable);
}

interface AnswerOptions extends ServerOptions, DecisionOptions, TaskOption {
  readonly option?: string;
  readonly text?: string;
  readonly content?: Record<string, string>;
  readonly decline?: true;
  readonly scope?: (typeof RULE_SCOPES)[number];
  readonly input?: string;
}

const answer: CommandRow = {
  name: 'answer',
  summary: 'answer a question',
  description: 'Answers a question of an agent. The first answer counts.',
  examples: [
    ['Choose an option', 'signalbox question answer k3v9x2m1q8zt --option yes'],
    ['Answer with text', 'signalbox question answer k3v9x2m1q8zt --text "Use version 3"'],
    [
      'Allow a tool for all tasks of the agent',
      'signalbox question answer k3v9x2m1q8zt --option allow_always --scope agent --input "git status*"',
    ],
  ],
  add: (command, terminal) =>
    withQuestion(withDecision(withServer(command), 'a remark for the agent'))
      .option('--option <id>', 'the option to choose')
      .option('--text <text>', 'the answer to a question of kind text')
      .option('--content <json>', 'the values of a form, as JSON', jsonObjectOf)
      .option('--decline', 'decline to answer')
      .addOption(
        new Option('--scope <scope>', 'with allow_always or reject_always: where the rule applies').choices(
          RULE_SCOPES,
        ),
      )
      .option('--input <glob>', 'for an option that holds on: for which input, with * for any text')
      .action(async (id: string, options: AnswerOptions) => {
        const client = clientOf(options);
        const { project, task } = await find(client, id, options);
        const { option, text, content, decline, scope, input } = options;
        const answered = await client.answerQuestion({
          project,
          task,
          question: id,
          ...decisionOf(options),
          action: decline ? 'declined' : 'accepted',
          option,
          text,
          content,
          ...((scope ?? input) !== undefined && { remember: { scope, input } }),
        });
        printAnswer(terminal, options, answered, ({ answer: given }) =>
          printable(`question ${id}: ${given ? answerText(given) : 'open'}`),
        );
      }),
};

const withdraw: CommandRow = {
  name: 'withdraw',
  summary: 'withdraw a question that needs no answer any more',
  description:
    'Withdraws a question: it is answered as cancelled, and its agent goes on without an answer. ' +
    'An agent withdraws its own questions only.',
  examples: [
    [
      'Withdraw one that is no longer needed',
      'signalbox question withdraw k3v9x2m1q8zt --comment "the release was called off"',
    ],
  ],
  add: (command, terminal) =>
    withQuestion(withDecision(withServer(command), 'the reason, for the agent')).action(
      async (id: string, options: ServerOptions & DecisionOptions & TaskOption) => {
        const client = clientOf(options);
        const { project, task } = await find(client, id, options);
        const decision = decisionOf(options);
        const withdrawn = await client.withdrawQuestion({ project, task, question: id, ...decision });
        printAnswer(terminal, options, withdrawn, () => printable(`question ${id} is withdrawn`));
      },
    ),
};

export const question: CommandRow = {
  name: 'question',
  summary: 'list, show, answer and withdraw questions of agents',
  description: 'Lists, shows, answers and withdraws questions of agents.',
  examples: [
    ['List open questions', 'signalbox question ls'],
    ['Answer one', 'signalbox question answer k3v9x2m1q8zt --option yes'],
  ],
  commands: [ls, show, answer, withdraw],
};
