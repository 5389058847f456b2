/** `signalbox attempt`: the attempts of a task. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { printable } from '../../base/text/printable.ts';
import type { LogPart, SignalboxClient } from '../../client/client.ts';
import { taskCommand } from '../../contracts/api/next-command.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { LogStream } from '../../contracts/tasks.ts';
import { durationOf, numberOf, OPEN_STATUSES, taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { noteUnreachable, retryWhileUnreachable } from '../follow.ts';
import { type ByOption, byOf, type ClientOptions, clientOf, withBy, withProject } from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import { ATTEMPT_COLUMNS } from '../task/attempt-text.ts';
import { statusPhrase } from '../task/styles.ts';
import { printTranscript } from '../task/transcript.ts';
import type { Terminal } from '../terminal.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list the attempts of a task',
  description: 'Lists the attempts of a task with agent, outcome, exit code, duration and error.',
  examples: [
    ['List the attempts of a task', 'signalbox attempt ls k3v9x2m1q8zt'],
    ['Print the evidence of the last kill', "signalbox attempt ls k3v9x2m1q8zt --json | jq '.[-1].evidence'"],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument(undefined, '<task>'))
      .action(async (id: string, options: ClientOptions) => {
        const task = { project: options.project, task: id, expand: ['attempts'] } as const;
        const { attempts: rows = [] } = await clientOf(options).readTask(task);
        printList(terminal, options, { rows, columns: () => ATTEMPT_COLUMNS, empty: 'no attempts yet' });
      }),
};

interface LogsOptions extends ClientOptions {
  readonly follow?: true;
  readonly stderr?: true;
  readonly tail?: number;
}

const logs: CommandRow = {
  name: 'logs',
  summary: 'print the output of an attempt',
  description:
    'Prints the stored output of the process of an attempt. On a terminal, control characters are shown as symbols. ' +
    'With --json, prints each part as one line of JSON.',
  examples: [
    ['Watch an agent work', 'signalbox attempt logs k3v9x2m1q8zt -f'],
    ['Print the last 20 lines', 'signalbox attempt logs k3v9x2m1q8zt --tail 20'],
    ['Print the errors of the first attempt', 'signalbox attempt logs k3v9x2m1q8zt 1 --stderr'],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument(undefined, '<task>'))
      .argument('[attempt]', 'number of the attempt (default: the newest)', numberOf)
      .option('-f, --follow', 'print new output until the attempt ends')
      .option('--stderr', 'print standard error instead of standard output')
      .option('--tail <lines>', 'print only the last lines that are stored', linesOf)
      .action((id: string, number: number | undefined, options: LogsOptions) =>
        printLogs(terminal, id, number, options),
      ),
};

/** Pause between two requests if there was no new output. */
const PAUSE_MS = 500;

async function printLogs(
  terminal: Terminal,
  id: string,
  given: number | undefined,
  options: LogsOptions,
): Promise<void> {
  const client = clientOf(options);
  const number = given ?? (await newestOf(client, options.project, id));
  const stream: LogStream = options.stderr ? 'stderr' : 'stdout';
  const read = (offset: number): Promise<LogPart> =>
    client.readAttemptLog({ project: options.project, task: id, attempt: number, stream, offset });
  const tail = options.tail === undefined ? null : new Tail(options.tail);
  const print = (part: LogPart): void => printPart(terminal, part, options.json === true);
  for (let part = await read(0); ; ) {
    if (tail?.isOpen) tail.add(part, print);
    else print(part);
    const isEnd = part.text === '';
    if (part.isComplete || (isEnd && !options.follow)) return;
    if (isEnd) await sleep(PAUSE_MS);
    const { nextOffset } = part;
    part = await retryWhileUnreachable(noteUnreachable(terminal), () => read(nextOffset));
    if (part.offset !== nextOffset) {
      terminal.note('signalbox: output is missing here: the log of the attempt reached its size limit');
    }
  }
}

function linesOf(text: string): number {
  const lines = numberOf(text);
  if (Number.isInteger(lines) && lines >= 1) return lines;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** The last lines of what is stored: held until the end of it, then printed; what comes later is not held. */
class Tail {
  isOpen = true;
  readonly #lines: number;
  #held: LogPart | null = null;

  constructor(lines: number) {
    this.#lines = lines;
  }

  add(part: LogPart, print: (part: LogPart) => void): void {
    const held = this.#held;
    const text = lastLines(`${held?.text ?? ''}${part.text}`, this.#lines);
    this.#held = { ...part, text };
    if (part.text !== '' && !part.isComplete) return;
    this.isOpen = false;
    print(this.#held);
  }
}

function lastLines(text: string, count: number): string {
  let at = text.endsWith('\n') ? text.length - 1 : text.length;
  for (let lines = 0; lines < count; lines++) {
    // A negative position would find a line break at 0 again.
    at = at === 0 ? -1 : text.lastIndexOf('\n', at - 1);
    if (at < 0) return text;
  }
  return text.slice(at + 1);
}

async function newestOf(client: SignalboxClient, project: string, id: string): Promise<number> {
  const { attempt } = await client.readTask({ project, task: id });
  if (attempt > 0) return attempt;
  const why = taskCommand('why', { project, task: id });
  throw new SignalboxError('not_found', `task ${id} has no attempt yet: see ${why}`);
}

function printPart(terminal: Terminal, { text, offset }: LogPart, asJson: boolean): void {
  if (text === '') return;
  if (asJson) terminal.print(JSON.stringify({ offset, text }));
  else terminal.write(terminal.isInteractive ? printable(text) : text);
}

interface TranscriptCommandOptions extends ClientOptions {
  readonly follow?: true;
  readonly tail?: number;
}

const transcript: CommandRow = {
  name: 'transcript',
  summary: 'print what an agent said and did in an attempt',
  description:
    'Prints messages, thoughts, calls of tools, plans and questions of an agent, in one form for all agents. With --json, ' +
    'prints each entry as one line of JSON. It is read from the stored output: "attempt logs" prints that as it is.',
  examples: [
    ['Watch an agent think and work', 'signalbox attempt transcript k3v9x2m1q8zt -f'],
    [
      'List the tools that it has called',
      "signalbox attempt transcript k3v9x2m1q8zt --json | jq -r '.tool // empty'",
    ],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument(undefined, '<task>'))
      .argument('[attempt]', 'number of the attempt (default: the newest)', numberOf)
      .option('-f, --follow', 'print what comes until the attempt ends')
      .option('--tail <lines>', 'begin with the last lines of the output', tailOf)
      .action(async (id: string, given: number | undefined, options: TranscriptCommandOptions) => {
        const client = clientOf(options);
        const { project } = options;
        const number = given ?? (await newestOf(client, project, id));
        await printTranscript(terminal, client, { project, task: id, attempt: number }, options);
      }),
};

function tailOf(text: string): number {
  const lines = linesOf(text);
  if (lines <= 2_000) return lines;
  throw new InvalidArgumentError('Expected at most 2000: without --tail, all is printed.');
}

const kill: CommandRow = {
  name: 'kill',
  summary: 'kill an attempt',
  description:
    'Ends the processes of an attempt: SIGTERM first, SIGKILL after the grace period of the agent. The task is retried ' +
    'while it has attempts left. To end the task itself, use "task cancel".',
  examples: [['Kill the open attempt of a task', 'signalbox attempt kill k3v9x2m1q8zt']],
  add: (command, terminal) =>
    withBy(withProject(command))
      .addArgument(taskArgument(OPEN_STATUSES, '<task>'))
      .argument('[attempt]', 'number of the attempt (default: the open one)', numberOf)
      .action(async (id: string, given: number | undefined, options: ClientOptions & ByOption) => {
        const client = clientOf(options);
        const number = given ?? (await openOf(client, options.project, id));
        const killed = await client.killAttempt({
          project: options.project,
          task: id,
          attempt: number,
          ...byOf(options),
        });
        printAnswer(
          terminal,
          options,
          killed,
          ({ attempt, agent, status }) => `attempt ${attempt} of task ${id} by agent ${agent} is ${status}`,
        );
      }),
};

const extend: CommandRow = {
  name: 'extend',
  summary: 'give a running attempt more time',
  description:
    'Gives a running attempt more time: it times out so much later, and is not ended for its silence for so long from now.',
  examples: [['Give the agent ten more minutes', 'signalbox attempt extend k3v9x2m1q8zt 10m']],
  add: (command, terminal) =>
    withBy(withProject(command))
      .addArgument(taskArgument(OPEN_STATUSES, '<task>'))
      .argument('<time>', 'how much more, such as 90s, 10m or 2h', durationOf)
      .argument('[attempt]', 'number of the attempt (default: the open one)', numberOf)
      .action(
        async (id: string, seconds: number, given: number | undefined, options: ClientOptions & ByOption) => {
          const client = clientOf(options);
          const { project } = options;
          const number = given ?? (await openOf(client, project, id));
          const extended = await client.extendAttempt({
            project,
            task: id,
            attempt: number,
            seconds,
            ...byOf(options),
          });
          printAnswer(
            terminal,
            options,
            extended,
            ({ attempt, agent, deadline }) =>
              `attempt ${attempt} of task ${id} by agent ${agent} has time until ${deadline}`,
          );
        },
      ),
};

async function openOf(client: SignalboxClient, project: string, id: string): Promise<number> {
  const { open_attempt: number, status } = await client.readTask({ project, task: id });
  if (number !== null) return number;
  throw new SignalboxError(
    'illegal_transition',
    `task ${id} ${statusPhrase(status)} and has no open attempt`,
  );
}

export const attempt: CommandRow = {
  name: 'attempt',
  summary: 'list the attempts of a task; print their transcripts and output; kill one, or give it more time',
  description:
    'Lists the attempts of a task, prints what their agents said and did, kills them, and gives them more time.',
  examples: [
    ['List the attempts of a task', 'signalbox attempt ls k3v9x2m1q8zt'],
    ['Watch an agent work', 'signalbox attempt transcript k3v9x2m1q8zt -f'],
  ],
  commands: [ls, transcript, logs, kill, extend],
};
