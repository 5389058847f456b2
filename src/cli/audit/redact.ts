import { type Command, Option } from 'commander';
import type { Redact } from '../../contracts/api/requests.ts';
import { numberOf } from '../arguments.ts';
import { type ClientOptions, clientOf, userName, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface RedactOptions extends ClientOptions, Redact {
  readonly task: string;
  readonly by: string;
}

const PARTS = ['description', 'output', 'comment', 'attempt', 'event'] as const;

export function addAuditRedact(audit: Command, terminal: Terminal): void {
  const command = withClientOptions(audit.command('redact'))
    .summary('erase content from the log, for good')
    .description(
      'Erases what somebody wrote from the log and from the disk. That it was there, when, by whom and with which hash ' +
        'stays, so the hash chain is whole. It cannot be undone.',
    )
    .requiredOption('--task <id>', 'the task')
    .requiredOption('--reason <text>', 'why it has to go; the reason stays in the log');
  for (const option of [
    new Option('--description', 'what its creator wrote: title, description, parameters, must-haves, labels'),
    new Option('--output <number>', 'an output, and the file that was captured for it').argParser(numberOf),
    new Option('--comment <number>', 'a comment, in the order of "task show"').argParser(numberOf),
    new Option('--attempt <number>', 'what is recorded of the end of an attempt, and its files').argParser(
      numberOf,
    ),
    new Option('--event <sequence>', 'any event of the task, by its sequence').argParser(numberOf),
  ]) {
    command.addOption(option.conflicts(PARTS.filter((part) => part !== option.attributeName())));
  }
  command.option('--by <name>', 'who decides', userName()).action(async (options: RedactOptions) => {
    const { url, tokenFile, json, project, task, ...request } = options;
    const answer = await clientOf({ url, tokenFile }).redactTask({ project, task, ...request });
    if (json) terminal.print(JSON.stringify(answer, null, 2));
    else terminal.print(`the content is erased; task ${answer.id} shows a marker in its place`);
  });
  withExamples(command, [
    ['An output holds a password', 'signalbox audit redact --task T-12 --output 2 --reason "a password"'],
    [
      'A progress report, by its sequence',
      'signalbox audit redact --task T-12 --event 4711 --reason "names"',
    ],
  ]);
}
