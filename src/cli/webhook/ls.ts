import type { Command } from 'commander';
import type { WebhookAnswer } from '../../contracts/api/webhooks.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';

const COLUMNS: readonly Column<WebhookAnswer>[] = [
  { title: 'ID', text: ({ id }) => id, isName: true },
  { title: 'STATE', text: ({ state }) => state },
  { title: 'TO', text: ({ target }) => target },
  { title: 'LAG', text: ({ lag }) => lag, align: 'right' },
  { title: 'DEAD', text: ({ dead_letters }) => dead_letters, align: 'right' },
  { title: 'LAST ERROR', text: ({ last_error }) => last_error ?? '' },
];

export function addWebhookLs(webhook: Command, terminal: Terminal): void {
  const command = withServerOptions(webhook.command('ls'))
    .summary('list webhooks')
    .description(
      'Lists the webhooks of the configuration, how far each is behind the log, and what went wrong last.',
    )
    .action(async (options: ServerOptions) => {
      const webhooks = (await clientOf(options).listWebhooks()).webhooks;
      if (options.json) terminal.print(JSON.stringify(webhooks, null, 2));
      else if (webhooks.length === 0) terminal.note('no webhooks in the configuration');
      else for (const line of tableLines(terminal, [...COLUMNS], webhooks)) terminal.print(line);
    });
  withExamples(command, [['Whether everything arrives', 'signalbox webhook ls']]);
}
