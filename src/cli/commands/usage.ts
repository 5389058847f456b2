/** `signalbox usage`: what agents have used. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UsageFiguresAnswer } from '../../contracts/api/usage/figures.ts';
import {
  USAGE_KEYS,
  type UsageAnswer,
  type UsageKey,
  type UsageRow,
} from '../../contracts/api/usage/usage.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskKey } from '../../contracts/ids.ts';
import { costText, tokensText, usageNotes } from '../../contracts/usage-text.ts';
import { numberOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { clientOf, type ServerOptions, withServer } from '../options.ts';
import { assertAgent, countText, printJson, printLines } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';

interface UsageOptions extends ServerOptions {
  readonly by?: string;
  readonly zone?: string;
  readonly from?: string;
  readonly to?: string;
  readonly project?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly limit?: number;
  readonly at?: string;
}

export const usage: CommandRow = {
  name: 'usage',
  summary: 'show the tokens and the cost of attempts',
  description:
    'Sums up what ended attempts have used, by day, project, agent, model or task. Costs are those that agents report, or ' +
    'estimates from "prices" of the configuration. If some are not known, a sum is "at least" what is known. Input tokens ' +
    'include those that a model has read from its cache.',
  examples: [
    ['By day, in your time zone', 'signalbox usage --zone Europe/Berlin --from 7d'],
    ['By agent and model, of November', 'signalbox usage --by agent,model --from 2026-11-01 --to 2026-11-30'],
    ['The most expensive tasks', 'signalbox usage --by task --limit 10'],
    ['As it was on a past day', 'signalbox usage --by agent --at 2026-11-30T12:00:00Z'],
  ],
  add: (command, terminal) =>
    withServer(command)
      .option('--by <keys>', `one or two of ${USAGE_KEYS.join(', ')}, with a comma between (default: day)`)
      .option('--zone <name>', 'IANA time zone of the days (default: UTC)')
      .option('--from <day>', 'first day (2026-11-30), a time, or how long ago (7d)')
      .option('--to <day>', 'last day, a time, or how long ago')
      .option('--project <id>', 'only this project')
      .option('--agent <id>', 'only this agent')
      .option('--model <name>', 'only this model')
      .option('--limit <number>', 'at most this many rows (default: 100)', numberOf)
      .option('--at <moment>', 'as it was at a sequence, a time, or some time ago')
      .action(async (options: UsageOptions) => {
        const { by, zone, from, to, project, agent, model, limit, at } = options;
        const client = clientOf(options);
        const query = { by, zone, from, to, project, agent, model, limit, at };
        const answer = await whenRead(terminal, () => client.readUsage(query));
        if (answer.rows.length === 0) await assertAgent(client, agent);
        if (options.json) return printJson(terminal, answer);
        const isAll = [from, to, project, agent, model].every((each) => each === undefined);
        if (answer.rows.length === 0)
          terminal.note(isAll ? 'no attempt has ended' : 'no such attempt has ended');
        else printLines(terminal, usageLines(terminal, answer));
      }),
};

const PAUSE_MS = 500;

/** Repeats a question about the past until Signalbox has read the log so far. */
async function whenRead(terminal: Terminal, ask: () => Promise<UsageAnswer>): Promise<UsageAnswer> {
  for (let isNoted = false; ; await sleep(PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'past_pending') throw error;
      if (!isNoted) terminal.note('signalbox: the log is being read up to this moment …');
      isNoted = true;
    }
  }
}

/** A row of the table: one of the answer, the rest, or the total. */
interface Line {
  readonly name: (key: UsageKey) => string;
  readonly figures: UsageFiguresAnswer;
}

function usageLines(terminal: Terminal, { by, rows, rest, total, zone }: UsageAnswer): string[] {
  const [first] = by;
  const named = (text: string) => (key: UsageKey) => (key === first ? text : '');
  const lines: Line[] = rows.map((row) => ({ name: (key) => nameOf(key, row), figures: row }));
  if (rest !== null) lines.push({ name: named(`${countText(rest.rows, 'more row')}`), figures: rest });
  lines.push({ name: named('total'), figures: total });
  return [...tableLines(terminal, columnsOf(by, zone), lines), ...usageNotes(total)];
}

function columnsOf(by: readonly UsageKey[], zone: string): readonly Column<Line>[] {
  return [
    ...by.map((key) => ({
      title: key === 'day' && zone !== 'UTC' ? `DAY (${zone})` : key.toUpperCase(),
      text: ({ name }: Line) => name(key),
      isName: true,
    })),
    { title: 'ATTEMPTS', text: ({ figures }) => figures.attempts, align: 'right' },
    { title: 'INPUT', text: ({ figures }) => numberText(figures, figures.input_tokens), align: 'right' },
    {
      title: 'CACHED',
      text: ({ figures }) => numberText(figures, figures.cache_read_tokens),
      align: 'right',
    },
    { title: 'OUTPUT', text: ({ figures }) => numberText(figures, figures.output_tokens), align: 'right' },
    { title: 'TOKENS', text: ({ figures }) => tokensText(figures), align: 'right' },
    { title: 'COST', text: ({ figures }) => costText(figures), align: 'right' },
  ];
}

function nameOf(key: UsageKey, { day, project = '', agent, model, task }: UsageRow): string {
  switch (key) {
    case 'day':
      return day ?? '';
    case 'project':
      return project;
    case 'agent':
      return agent ?? '';
    case 'model':
      return model ?? '(unknown)';
    case 'task':
      return task == null ? `${project}: older tasks` : taskKey({ project, task });
  }
}

function numberText({ tokens }: UsageFiguresAnswer, count: number): string {
  return tokens === null && count === 0 ? '-' : count.toLocaleString('en');
}
