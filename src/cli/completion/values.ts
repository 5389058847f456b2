/** The values of arguments and options. Some of them only a running Signalbox knows. */

import type { Command, Option } from 'commander';
import { cutText } from '../../base/text/cut-text.ts';
import { oneLine } from '../../base/text/printable.ts';
import { DEFAULT_URL, type SignalboxClient } from '../../client/client.ts';
import { LOG_LEVELS } from '../../config/schema/config.ts';
import { REVIEW_MODES } from '../../contracts/config-values.ts';
import { unreachable } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { TASK_STATES } from '../../contracts/tasks.ts';
import { BUNDLED_DRIVER_NAMES } from '../../drivers/bundled/index.ts';
import { CompletedArgument, type Source } from '../arguments.ts';
import { clientOf } from '../options.ts';
import { type Candidate, type Completion, type Line, plainWords } from './line.ts';

/** The user is waiting for a key press. */
const TIMEOUT_MS = 1_000;
/** The maximum of one page of the API. */
const LIMIT = 1_000;
const ABOUT_LENGTH = 70;

/** Environment variables of options. */
const VARIABLES = {
  '--url': 'SIGNALBOX_URL',
  '--token-file': 'SIGNALBOX_TOKEN_FILE',
  '--project': 'SIGNALBOX_PROJECT',
} as const;

const ANYTHING: Source = { kind: 'anything' };

/** By the long name of the option, for all commands. */
const OPTIONS: ReadonlyMap<string, Source> = new Map<string, Source>([
  ['--agent', { kind: 'agents' }],
  ['--task', { kind: 'tasks', statuses: TASK_STATES }],
  ['--review', { kind: 'words', words: REVIEW_MODES }],
  ['--status', { kind: 'list', words: TASK_STATES }],
  ['--state', { kind: 'list', words: TASK_STATES }],
  ['--priority', { kind: 'words', words: ['low', 'normal', 'high'] }],
  ['--log-level', { kind: 'words', words: LOG_LEVELS }],
]);

/** @throws SignalboxError what the client throws */
export function valuesOfOperand(line: Line, last: string): Promise<Completion> {
  return valuesOf(sourceOfOperand(line.command, line.operands.length), line, last);
}

/** @throws SignalboxError what the client throws */
export function valuesOfOption(line: Line, option: Option, last: string): Promise<Completion> {
  return valuesOf(sourceOfOption(option), line, last);
}

/** @param index how many operands the line has before it */
function sourceOfOperand({ registeredArguments: all }: Command, index: number): Source {
  const last = all.at(-1);
  const operand = index >= all.length && last?.variadic ? last : all[index];
  if (operand === undefined) return ANYTHING;
  if (operand.argChoices) return { kind: 'words', words: operand.argChoices };
  if (operand instanceof CompletedArgument) return operand.source;
  return operand.name() === 'file' ? { kind: 'files' } : ANYTHING;
}

function sourceOfOption({ long, flags, argChoices }: Option): Source {
  if (argChoices) return { kind: 'words', words: argChoices };
  if (/[<[](?:file|path)\b/.test(flags)) return { kind: 'files' };
  if (/[<[]directory\b/.test(flags)) return { kind: 'directories' };
  return OPTIONS.get(long ?? '') ?? ANYTHING;
}

async function valuesOf(source: Source, line: Line, last: string): Promise<Completion> {
  switch (source.kind) {
    case 'tasks':
      return live(line, async (client) => {
        const project = setting(line, '--project') ?? 'default';
        const { tasks } = await client.listTasks({ project, status: source.statuses, limit: LIMIT });
        return tasks.map(({ id, status, title }) => ({ text: id, about: `${status}: ${title}` }));
      });
    case 'agents':
      return live(line, async (client) => {
        const { agents } = await client.listAgents();
        return agents.map(({ id, state }) => ({ text: id, about: state }));
      });
    case 'queues':
      return live(line, async (client) => {
        const { queues } = await client.listQueues();
        return queues
          .filter(({ kind, paused }) => kind === line.operands[0] && (paused !== null) === source.isPaused)
          .map(({ name, pending }) => ({ text: name, about: `${pending} pending` }));
      });
    case 'schedules':
      return live(line, async (client) => {
        const { schedules } = await client.listSchedules();
        return schedules.map(({ id, title }) => ({ text: id, about: title }));
      });
    case 'budgets':
      return live(line, async (client) => {
        const { budgets } = await client.listBudgets();
        return budgets.map(({ id, status }) => ({ text: id, about: status }));
      });
    case 'webhooks':
      return live(line, async (client) => {
        const { webhooks } = await client.listWebhooks();
        return webhooks.map(({ id }) => ({ text: id, about: '' }));
      });
    case 'drivers':
      return plainWords(BUNDLED_DRIVER_NAMES);
    case 'words':
      return plainWords(source.words);
    case 'list': {
      const before = last.slice(0, last.lastIndexOf(',') + 1);
      const given = before.split(',');
      return plainWords(source.words.filter((word) => !given.includes(word)).map((word) => before + word));
    }
    case 'files':
    case 'directories':
      return source;
    case 'anything':
      return plainWords([]);
    default:
      return unreachable(source, 'valuesOf');
  }
}

/** @throws SignalboxError what the client throws */
async function live(
  line: Line,
  ask: (client: SignalboxClient) => Promise<readonly Candidate[]>,
): Promise<Completion> {
  const url = setting(line, '--url') ?? DEFAULT_URL;
  const client = clientOf(
    { url, tokenFile: setting(line, '--token-file') },
    { retries: 0, timeoutMs: TIMEOUT_MS },
  );
  // A shell runs the line: only valid ids may get into it.
  const valid = (await ask(client)).filter(({ text }) => ID_PATTERN.test(text));
  const candidates = valid.map(({ text, about }) => ({ text, about: cutText(oneLine(about), ABOUT_LENGTH) }));
  return { kind: 'words', candidates };
}

/** The value on the line, or in the environment variable. The command need not have the option. */
function setting({ values }: Line, option: keyof typeof VARIABLES): string | undefined {
  return values.get(option) ?? (process.env[VARIABLES[option]] || undefined);
}
