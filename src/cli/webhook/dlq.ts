import type { Command } from 'commander';
import type { WebhookLetter } from '../../contracts/api/webhooks.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';

export function addWebhookDlq(webhook: Command, terminal: Terminal): void {
  const command = withServerOptions(webhook.command('dlq'))
    .summary('list the dead letters of a webhook')
    .description('Lists the events that a webhook has given up, the oldest first.')
    .argument('<webhook>', 'its id in the configuration')
    .action(async (id: string, options: ServerOptions) => {
      const letters = (await clientOf(options).listWebhookDeadLetters({ webhook: id })).dead_letters;
      if (options.json) terminal.print(JSON.stringify(letters, null, 2));
      else if (letters.length === 0) terminal.note('no dead letters');
      else for (const line of tableLines(terminal, columnsOf(Date.now()), letters)) terminal.print(line);
    });
  withExamples(command, [['What did not arrive', 'signalbox webhook dlq ops']]);
}

function columnsOf(now: number): Column<WebhookLetter>[] {
  return [
    { title: 'SEQUENCE', text: ({ sequence }) => sequence, isName: true },
    { title: 'TYPE', text: ({ type }) => type },
    { title: 'TRIES', text: ({ attempts }) => attempts, align: 'right' },
    { title: 'AGE', text: ({ time }) => ageText(time, now), align: 'right' },
    { title: 'ERROR', text: ({ error }) => error },
  ];
}
