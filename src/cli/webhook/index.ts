import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addWebhookChoices } from './choose.ts';
import { addWebhookDlq } from './dlq.ts';
import { addWebhookLs } from './ls.ts';

/** `signalbox webhook …` */
export function addWebhookCommands(program: Command, terminal: Terminal): void {
  const webhook = program
    .command('webhook')
    .description('Where events are sent, and what could not be delivered.');
  addWebhookLs(webhook, terminal);
  addWebhookDlq(webhook, terminal);
  addWebhookChoices(webhook, terminal);
}
