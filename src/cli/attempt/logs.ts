import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { LogPart, SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { LogStream } from '../../contracts/tasks.ts';
import { numberOf } from '../arguments.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { patiently } from '../follow.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

interface LogsOptions extends ClientOptions {
  readonly follow?: true;
  readonly stderr?: true;
}

/** How long to wait where nothing new was printed. */
const WAIT_MS = 500;

export function addAttemptLogs(attempt: Command, terminal: Terminal): void {
  const command = withClientOptions(attempt.command('logs'))
    .summary('show what an attempt has printed')
    .description(
      'Prints what the process of an attempt has printed, as far as it is kept. On a terminal, characters that would ' +
        'move the cursor or change colours are shown, not obeyed. With --json each part as a line of JSON.',
    )
    .argument('<task>', 'the task')
    .argument('[attempt]', 'its number (default: the newest)', numberOf)
    .option('-f, --follow', 'go on until the attempt is over')
    .option('--stderr', 'standard error instead of standard output')
    .action((id: string, number: number | undefined, options: LogsOptions) =>
      logs(terminal, id, number, options),
    );
  withExamples(command, [
    ['Watch an agent at work', 'signalbox attempt logs k3v9x2m1q8zt -f'],
    ['What the first attempt complained about', 'signalbox attempt logs k3v9x2m1q8zt 1 --stderr'],
  ]);
}

async function logs(
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
  const onAway = ({ message }: Error): void =>
    terminal.note(`signalbox: ${printable(message)}; trying again`);
  for (let part = await read(0); ; ) {
    show(terminal, part, options.json === true);
    const isEnd = part.text === '';
    if (part.isComplete || (isEnd && !options.follow)) return;
    if (isEnd) await sleep(WAIT_MS);
    const { nextOffset } = part;
    part = await patiently({ onAway }, () => read(nextOffset));
    if (part.offset !== nextOffset)
      terminal.note('signalbox: a part is missing here, the log is at its limit');
  }
}

async function newestOf(client: SignalboxClient, project: string, id: string): Promise<number> {
  const { attempt } = await client.readTask({ project, task: id });
  if (attempt > 0) return attempt;
  throw new SignalboxError('not_found', `task ${id} has no attempt yet: see "signalbox task why ${id}"`);
}

function show(terminal: Terminal, { text, offset }: LogPart, asJson: boolean): void {
  if (text === '') return;
  if (asJson) terminal.print(JSON.stringify({ offset, text }));
  else terminal.write(terminal.isInteractive ? printable(text) : text);
}
