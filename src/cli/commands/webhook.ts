/** `signalbox webhook`: where events are sent, and what could not be delivered. */

import { printable } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type {
  ChooseLetters,
  Redelivered,
  WebhookAnswer,
  WebhookLetter,
} from '../../contracts/api/webhooks.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { CompletedArgument, numberOf } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { clientOf, type ServerOptions, withServer } from '../options.ts';
import { printJson, printList } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list webhooks',
  description: 'Lists the configured webhooks, how many events each is behind the log, and its last error.',
  examples: [['Check that events are delivered', 'signalbox webhook ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { webhooks: rows } = await clientOf(options).listWebhooks();
      printList(terminal, options, { rows, columns: () => WEBHOOKS, empty: 'no webhooks are configured' });
    }),
};

const WEBHOOKS: readonly Column<WebhookAnswer>[] = [
  { title: 'ID', text: ({ id }) => id, isName: true },
  { title: 'STATE', text: ({ state }) => state },
  { title: 'TO', text: ({ target }) => target },
  { title: 'LAG', text: ({ lag }) => lag, align: 'right' },
  { title: 'DEAD', text: ({ dead_letters }) => dead_letters, align: 'right' },
  { title: 'LAST ERROR', text: ({ last_error }) => last_error ?? '' },
];

const dlq: CommandRow = {
  name: 'dlq',
  summary: 'list the dead letters of a webhook',
  description: 'Lists the events that could not be delivered to a webhook, oldest first.',
  examples: [['List undelivered events', 'signalbox webhook dlq ops']],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(webhookArgument())
      .action(async (id: string, options: ServerOptions) => {
        const { dead_letters: rows } = await clientOf(options).listWebhookDeadLetters({ webhook: id });
        printList(terminal, options, { rows, columns: letterColumns, empty: 'no dead letters' });
      }),
};

function webhookArgument(): CompletedArgument {
  return new CompletedArgument('<webhook>', 'id of the webhook in the configuration', { kind: 'webhooks' });
}

function letterColumns(now: number): readonly Column<WebhookLetter>[] {
  return [
    { title: 'SEQUENCE', text: ({ sequence }) => sequence, isName: true },
    { title: 'TYPE', text: ({ type }) => type },
    { title: 'TRIES', text: ({ attempts }) => attempts, align: 'right' },
    { title: 'AGE', text: ({ time }) => ageText(time, now), align: 'right' },
    { title: 'ERROR', text: ({ error }) => error },
  ];
}

interface LetterAction {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly Example[];
  /** Printed before the sequence of each event. */
  readonly done: string;
  readonly send: (
    client: SignalboxClient,
    input: ChooseLetters & { readonly webhook: string },
  ) => Promise<Redelivered>;
}

const LETTER_ACTIONS: readonly LetterAction[] = [
  {
    name: 'redeliver',
    summary: 'redeliver dead letters',
    description: 'Redelivers dead letters, once each. Accepted ones are removed.',
    examples: [
      ['Redeliver one event', 'signalbox webhook redeliver ops 4711'],
      ['Redeliver the oldest events, as many as one request allows', 'signalbox webhook redeliver ops --all'],
    ],
    done: 'delivered',
    send: (client, input) => client.redeliverWebhook(input),
  },
  {
    name: 'discard',
    summary: 'discard dead letters',
    description: 'Discards dead letters of a webhook. Their events stay in the log.',
    examples: [['Discard one event', 'signalbox webhook discard ops 4711']],
    done: 'discarded',
    send: (client, input) => client.discardWebhook(input),
  },
];

interface ChoiceOptions extends ServerOptions {
  readonly all?: true;
}

function letterRow({ name, summary, description, examples, done, send }: LetterAction): CommandRow {
  return {
    name,
    summary,
    description,
    examples,
    add: (command, terminal) =>
      withServer(command)
        .addArgument(webhookArgument())
        .argument('[sequences...]', 'sequence numbers of the events', appendNumber)
        .option('--all', 'the oldest events, as many as one request allows')
        .action(async (id: string, sequences: readonly number[] | undefined, options: ChoiceOptions) => {
          const result = await send(clientOf(options), { webhook: id, ...choiceOf(sequences, options) });
          report(terminal, result, done, options);
        }),
  };
}

function appendNumber(text: string, earlier: readonly number[] = []): readonly number[] {
  return [...earlier, numberOf(text)];
}

function choiceOf(sequences: readonly number[] = [], { all }: ChoiceOptions): ChooseLetters {
  if (sequences.length > 0 === (all === true)) {
    throw new SignalboxError('invalid_request', 'give the sequence numbers of the events, or --all');
  }
  return all ? { all } : { sequences: [...sequences] };
}

function report(terminal: Terminal, result: Redelivered, done: string, { json }: ChoiceOptions): void {
  const { delivered, errors, left } = result;
  if (json) printJson(terminal, result);
  else for (const sequence of delivered) terminal.print(`${done} ${sequence}`);
  for (const { sequence, detail } of errors) terminal.note(`signalbox: ${sequence}: ${printable(detail)}`);
  if (!json && left > 0) terminal.note(`${left} dead letters are left`);
  if (errors.length > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

export const webhook: CommandRow = {
  name: 'webhook',
  summary: 'list webhooks; redeliver or discard dead letters',
  description: 'Lists webhooks and the events that could not be delivered.',
  examples: [['Check that events are delivered', 'signalbox webhook ls']],
  commands: [ls, dlq, ...LETTER_ACTIONS.map(letterRow)],
};
