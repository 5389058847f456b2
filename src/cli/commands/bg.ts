/** `signalbox bg`: shell commands that Signalbox supervises in the background. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { printable } from '../../base/text/printable.ts';
import { type BackgroundAnswer, DEFAULT_CURSOR } from '../../contracts/api/background.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { durationOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ByOption, byOf, clientOf, type ServerOptions, withBy, withServer } from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

interface RunOptions extends ServerOptions {
  readonly cwd: string;
  readonly timeout?: number;
}

const run: CommandRow = {
  name: 'run',
  summary: 'run a command in the background',
  description: 'Runs a shell command in the background, supervised by Signalbox, without waiting for it.',
  examples: [['Run the tests, for at most ten minutes', 'signalbox bg run "npm test" --timeout 10m']],
  add: (command, terminal) =>
    withServer(command)
      .argument('<command>', 'the command, run by /bin/sh')
      .option('--cwd <directory>', 'working directory', '.')
      .option('--timeout <time>', 'kill it and its child processes after this time, such as 5m', durationOf)
      .action(async (text: string, { cwd, timeout, ...options }: RunOptions) => {
        const request = { command: text, cwd: resolve(cwd), timeout_seconds: timeout };
        const started = await clientOf(options).runBackground(request, { idempotencyKey: randomUUID() });
        printAnswer(terminal, options, started, ({ message }) => message);
      }),
};

const check: CommandRow = {
  name: 'check',
  summary: 'show one background command, or list all',
  description: 'Shows a background command and the end of its output, or lists the newest commands.',
  examples: [
    ['List background commands', 'signalbox bg check'],
    ['Show one', 'signalbox bg check k3v9x2m1q8zt'],
  ],
  add: (command, terminal) =>
    withServer(command)
      .argument('[id]', 'the background command (default: list all)')
      .action(async (id: string | undefined, options: ServerOptions) => {
        const client = clientOf(options);
        if (id !== undefined) {
          return printAnswer(terminal, options, await client.checkBackground({ task: id }), pageOf);
        }
        const { tasks: rows } = await client.listBackground();
        printList(terminal, options, { rows, columns, empty: 'no background commands' });
      }),
};

function columns(now: number): readonly Column<BackgroundAnswer>[] {
  return [
    { title: 'ID', text: ({ task_id }) => task_id, isName: true },
    { title: 'STATUS', text: ({ status }) => status },
    { title: 'AGE', text: ({ created_at }) => ageText(created_at, now), align: 'right' },
    { title: 'COMMAND', text: ({ command }) => command },
  ];
}

function pageOf(answer: BackgroundAnswer): string[] {
  const { task_id, status, error, output, truncated, output_file, command } = answer;
  return [
    `${task_id}  ${status}${error === null ? '' : `: ${printable(error)}`}`,
    `command: ${printable(command)}`,
    ...(output_file === null
      ? []
      : [`output${truncated ? ' (its end is shown below)' : ''}: ${output_file}`]),
    ...(output === null || output === '' ? [] : ['', ...output.trimEnd().split('\n').map(printable)]),
  ];
}

const drain: CommandRow = {
  name: 'drain',
  summary: 'fetch new results',
  description: 'Prints results of finished background commands. Each result is delivered once per cursor.',
  examples: [['Fetch results for the next turn of a model', 'signalbox bg drain --cursor my-session']],
  add: (command, terminal) =>
    withServer(command)
      .option('--cursor <name>', 'name of the reader', DEFAULT_CURSOR)
      .action(async ({ cursor, ...options }: ServerOptions & { readonly cursor: string }) => {
        const drained = await clientOf(options).drainNotifications({ cursor, drain_id: randomUUID() });
        if (!options.json && drained.text === '') terminal.note('no new results');
        else printAnswer(terminal, options, drained, ({ text }) => text.split('\n').map(printable));
      }),
};

const kill: CommandRow = {
  name: 'kill',
  summary: 'kill a background command',
  description:
    'Ends a background command and its child processes: SIGTERM first, SIGKILL after the grace period. Does not wait ' +
    'for the end.',
  examples: [['Kill a command that hangs', 'signalbox bg kill k3v9x2m1q8zt']],
  add: (command, terminal) =>
    withBy(withServer(command))
      .argument('<id>', 'the background command')
      .action(async (id: string, options: ServerOptions & ByOption) => {
        const client = clientOf(options);
        await client.cancelTask({ project: BACKGROUND_PROJECT, task: id, ...byOf(options) });
        const killed = await client.checkBackground({ task: id });
        printAnswer(terminal, options, killed, ({ task_id, status }) => `${task_id}  ${status}`);
      }),
};

export const bg: CommandRow = {
  name: 'bg',
  summary: 'run shell commands in the background',
  description: 'Runs shell commands in the background, supervised and recorded by Signalbox.',
  examples: [['Run the tests in the background', 'signalbox bg run "npm test"']],
  commands: [run, check, drain, kill],
};
