import type { Command } from 'commander';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';

export function addQueueLs(queue: Command, terminal: Terminal): void {
  const command = withServerOptions(queue.command('ls'))
    .summary('list queues')
    .description(
      'Lists what waits for each agent and each type of task, for how long, and which queues are paused.',
    )
    .action(async (options: ServerOptions) => {
      const queues = (await clientOf(options).listQueues()).queues;
      if (options.json) terminal.print(JSON.stringify(queues, null, 2));
      else if (queues.length === 0) terminal.note('no agents, and nothing waits');
      else for (const line of tableLines(terminal, columnsOf(Date.now()), queues)) terminal.print(line);
    });
  withExamples(command, [
    ['How long the queues are', 'signalbox queue ls'],
    ['The paused ones, for a script', "signalbox queue ls --json | jq '.[] | select(.paused)'"],
  ]);
}

function columnsOf(now: number): Column<QueueAnswer>[] {
  return [
    { title: 'FOR', text: ({ kind, name }) => (kind === 'agent' ? name : `(${name})`), isName: true },
    { title: 'PENDING', text: ({ pending }) => pending, align: 'right' },
    { title: 'SCHEDULED', text: ({ scheduled }) => scheduled, align: 'right' },
    {
      title: 'OLDEST',
      text: ({ oldest_pending_at: at }) => (at === null ? '' : ageText(at, now)),
      align: 'right',
    },
    { title: 'TAKEN BY', text: ({ agents }) => agents.join(', ') || 'nobody' },
    { title: 'PAUSED', text: (queue) => pauseText(queue, now), style: () => 'yellow' },
  ];
}

/** For how long, by whom and why; empty where it is open. */
function pauseText({ paused }: QueueAnswer, now: number): string {
  if (paused === null) return '';
  const { since, by, reason } = paused;
  return [`for ${ageText(since, now)} by ${by}`, ...(reason === null ? [] : [reason])].join(': ');
}
