import type { Command } from 'commander';
import type { ChooseLetters, Redelivered } from '../../contracts/api/webhooks.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { numberOf } from '../arguments.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

interface ChoiceOptions extends ServerOptions {
  readonly all?: true;
}

/** `redeliver` and `discard`: what is done with dead letters. */
export function addWebhookChoices(webhook: Command, terminal: Terminal): void {
  const redeliver = withChoice(webhook.command('redeliver'))
    .summary('send dead letters again')
    .description('Sends dead letters of a webhook again, once each. What is taken is one no more.')
    .action(async (id: string, sequences: readonly number[], options: ChoiceOptions) => {
      const result = await clientOf(options).redeliverWebhook({
        webhook: id,
        ...choiceOf(sequences, options),
      });
      report(terminal, result, 'delivered', options);
    });
  withExamples(redeliver, [
    ['One event', 'signalbox webhook redeliver ops 4711'],
    ['The oldest ones, as many as go at once', 'signalbox webhook redeliver ops --all'],
  ]);
  const discard = withChoice(webhook.command('discard'))
    .summary('drop dead letters for good')
    .description('Drops dead letters of a webhook for good. Their events stay in the log.')
    .action(async (id: string, sequences: readonly number[], options: ChoiceOptions) => {
      const result = await clientOf(options).discardWebhook({ webhook: id, ...choiceOf(sequences, options) });
      report(terminal, result, 'dropped', options);
    });
  withExamples(discard, [['One event', 'signalbox webhook discard ops 4711']]);
}

function withChoice(command: Command): Command {
  return withServerOptions(command)
    .argument('<webhook>', 'its id in the configuration')
    .argument('[sequences...]', 'the events, by their place in the log', collectNumbers)
    .option('--all', 'the oldest ones, as many as go at once');
}

function collectNumbers(text: string, earlier: readonly number[] | undefined): readonly number[] {
  return [...(earlier ?? []), numberOf(text)];
}

function choiceOf(sequences: readonly number[] = [], { all }: ChoiceOptions): ChooseLetters {
  if (sequences.length > 0 === (all === true)) {
    throw new SignalboxError('invalid_request', 'name the events by their place in the log, or say --all');
  }
  return all ? { all } : { sequences: [...sequences] };
}

function report(terminal: Terminal, result: Redelivered, done: string, { json }: ChoiceOptions): void {
  const { delivered, errors, left } = result;
  if (json) terminal.print(JSON.stringify(result, null, 2));
  else for (const sequence of delivered) terminal.print(`${done} ${sequence}`);
  for (const { sequence, detail } of errors) terminal.note(`signalbox: ${sequence}: ${printable(detail)}`);
  if (!json && left > 0) terminal.note(`${left} dead letters are left`);
  if (errors.length > 0) terminal.exitCode = EXIT_CODES.failure.code;
}
