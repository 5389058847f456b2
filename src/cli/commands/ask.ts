/** `signalbox ask`: a question of the agent that runs it. */
import { randomUUID } from 'node:crypto';
import { readRegular } from '../../base/regular-files.ts';
import { withLimit } from '../../base/time.ts';
import { MAX_WAIT_SECONDS } from '../../contracts/api/jobs.ts';
import type { QuestionJson } from '../../contracts/api/questions.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { MAX_QUESTION_BYTES } from '../../contracts/questions.ts';
import { whenAbandoned } from '../abandoned.ts';
import { append, durationOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ClientOptions, clientOf, unreadable, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';

interface AskOptions extends ClientOptions {
  readonly task?: string;
  readonly option?: readonly string[];
  readonly tool?: string;
  readonly input?: string;
  readonly diffFile?: string;
  readonly path?: string;
  readonly expires?: number;
  readonly default?: string;
  readonly id?: string;
  readonly park?: true;
}

/** Milliseconds that the process goes on to withdraw its question. */
const WITHDRAW_MS = 1_000;

/** Signalbox may be restarted while the question is open. */
const PATIENCE = { retries: 1_000_000, timeoutMs: (MAX_WAIT_SECONDS + 30) * 1_000 };

/** @throws SignalboxError `invalid_request` if no attempt runs it */
function taskOf(task: string | undefined): string {
  const id = task ?? process.env.SIGNALBOX_TASK_ID;
  if (id) return id;
  throw new SignalboxError(
    'invalid_request',
    'only an agent asks, with the token of its attempt: SIGNALBOX_TASK_ID is not set',
  );
}

async function aboutOf({ tool, input, diffFile, path }: AskOptions) {
  const diff = diffFile === undefined ? undefined : await diffIn(diffFile);
  const about = { tool, input, diff, path };
  return Object.values(about).some((value) => value !== undefined) ? about : undefined;
}

/** @throws SignalboxError `invalid_request` */
async function diffIn(file: string): Promise<string> {
  const diff = await readRegular(file, MAX_QUESTION_BYTES, { followLinks: true }).catch((error: unknown) => {
    throw unreadable('--diff-file', file, error);
  });
  if (diff === null) throw unreadable('--diff-file', file, new Error('there is no such file'));
  return diff.toString();
}

interface Address {
  readonly project: string;
  readonly task: string;
  readonly question: string;
}

/** @returns when the question is stored */
async function ask(message: string, options: AskOptions, address: Address): Promise<QuestionJson> {
  const { project, task, question: id } = address;
  const { option: choices, tool, expires, default: usual, park } = options;
  return clientOf(options, PATIENCE).askQuestion({
    project,
    task,
    // With an id it can be sent again if the answer is lost.
    id,
    message,
    kind: tool === undefined ? undefined : 'permission',
    options: choices && [...choices],
    about: await aboutOf(options),
    expires_in_seconds: expires,
    default: usual === undefined ? undefined : choices ? { option: usual } : { content: { text: usual } },
    park,
  });
}

async function answerTo(asked: QuestionJson, options: AskOptions): Promise<QuestionJson> {
  const client = clientOf(options, PATIENCE);
  const { project, task, id } = asked;
  let question = asked;
  while (question.answer === null)
    question = await client.readQuestion({ project, task, question: id, wait: MAX_WAIT_SECONDS });
  return question;
}

/**
 * Withdraws the question of a process that is to end. Never rejects, and takes at most some seconds. A question that has an
 * answer keeps it, and so does one of an attempt that Signalbox itself stops, to park it or for good.
 * @param asking settles when the question is stored, or is refused
 */
async function withdraw(options: AskOptions, address: Address, asking: Promise<unknown>): Promise<void> {
  await withLimit(asking, WITHDRAW_MS, () => null).catch(() => null);
  const client = clientOf(options, { retries: 0, timeoutMs: WITHDRAW_MS });
  await client.withdrawQuestion(address).catch(() => null);
}

/** The option, the text, or the values as JSON; nothing if there is no answer. */
function outcomeOf({ answer }: QuestionJson): string {
  if (answer?.option) return answer.option;
  const { text, ...rest } = answer?.content ?? {};
  if (typeof text === 'string' && Object.keys(rest).length === 0) return text;
  return answer?.content ? JSON.stringify(answer.content) : '';
}

export const askRow: CommandRow = {
  name: 'ask',
  summary: 'ask a question, as the agent that runs this, and wait for the answer',
  description:
    'Asks a question as the agent that runs this, waits for the answer, and prints it: the id of the option, or the text. ' +
    'Waiting does not use up the time of the attempt. Ends with 0 if the question was accepted, or its default applies, ' +
    'and with 1 if it was declined or cancelled, or expired without a default. If it is ended by a signal, or its output is ' +
    'closed, it withdraws the question, unless it has an --id: then the same command waits on.',
  examples: [
    ['Ask for a decision', 'signalbox ask "Delete the old releases?" --option yes --option no'],
    [
      'With a default after an hour',
      'signalbox ask "Go on?" --option yes --option no --expires 3600 --default no',
    ],
    ['Ask for a permission', 'signalbox ask "May I?" --tool Bash --input "rm -r build"'],
  ],
  add: (command, terminal) =>
    withProject(command)
      .argument('<message>', 'the question')
      .option('--option <id>', 'an answer to choose from (repeatable; default: any text)', append)
      .option('--tool <name>', 'ask for the permission to use this tool')
      .option('--input <text>', 'what the tool is to do')
      .option('--path <path>', 'the file that it is about')
      .option('--diff-file <file>', 'a file with the change that it is about')
      .option('--expires <time>', 'how long to wait for the answer, such as 2h', durationOf)
      .option('--default <answer>', 'what applies if it expires')
      .option('--park', 'end this attempt now: the answer starts the next one, which gets it')
      .option('--id <id>', 'id of the question; repeating the command with it asks nothing twice')
      .option('--task <id>', 'the task (default: SIGNALBOX_TASK_ID)')
      .action(async (message: string, options: AskOptions) => {
        const { project, task, id = randomUUID() } = options;
        const address = { project, task: taskOf(task), question: id };
        using abandoned = whenAbandoned();
        const asking = ask(message, options, address);
        const answered = asking.then((asked) => answerTo(asked, options));
        const question = await Promise.race([answered, abandoned.cause]);
        if (typeof question === 'string') {
          // With an id of its own the command may be repeated, to wait on.
          if (options.id === undefined) await withdraw(options, address, asking);
          return abandoned.end(question);
        }
        printAnswer(terminal, options, question, outcomeOf);
        const { action, option, content } = question.answer ?? {};
        const isGiven = action === 'accepted' || (action === 'expired' && (option ?? content) != null);
        if (!isGiven) terminal.exitCode = 1;
      }),
};
