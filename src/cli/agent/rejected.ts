import type { Command } from 'commander';
import type { RejectionRecord } from '../../contracts/messages/agent-messages.ts';
import { numberOf } from '../arguments.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';

interface RejectedOptions extends ServerOptions {
  readonly limit: number;
}

const LIMIT = 100;

export function addAgentRejected(agent: Command, terminal: Terminal): void {
  const command = withServerOptions(agent.command('rejected'))
    .summary('list messages that were refused')
    .description('Lists what agents have said over NATS and was refused, the newest first, with the reason.')
    .argument('[id]', 'the agent; all of them where it is left out')
    .option('--limit <number>', 'how many at most', numberOf, LIMIT)
    .action(async (id: string | undefined, options: RejectedOptions) => {
      const found = (await clientOf(options).listRejectedMessages({ agent: id, limit: options.limit }))
        .rejected_messages;
      if (options.json) terminal.print(JSON.stringify(found, null, 2));
      else if (found.length === 0) terminal.note('no message was refused');
      else for (const line of tableLines(terminal, columnsOf(Date.now()), found)) terminal.print(line);
    });
  withExamples(command, [['Why the results of an agent do not arrive', 'signalbox agent rejected builder']]);
}

function columnsOf(now: number): Column<RejectionRecord>[] {
  return [
    { title: 'AGENT', text: ({ agent }) => agent, isName: true },
    { title: 'AGE', text: ({ time }) => ageText(time, now), align: 'right' },
    { title: 'KIND', text: ({ kind }) => kind },
    { title: 'CODE', text: ({ code }) => code },
    { title: 'REASON', text: ({ reason }) => oneLine(reason) },
  ];
}
