/** The values that an operand or an option can have; some of them only a running Signalbox knows. */
import type { Option } from 'commander';
import { DEFAULT_URL, type SignalboxClient } from '../../client/client.ts';
import { unreachable } from '../../contracts/errors.ts';
import { clientOf } from '../client-options.ts';
import { type Completion, wordsOf } from './completion.ts';
import type { Line } from './line.ts';
import { liveCandidates } from './live.ts';
import { type Source, sourceOfOperand, sourceOfValue } from './sources.ts';

/** Who typed waits. */
const TIMEOUT_MS = 1_000;

/** Where a setting of the client stands, if not on the line. */
const VARIABLES = {
  '--url': 'SIGNALBOX_URL',
  '--token-file': 'SIGNALBOX_TOKEN_FILE',
  '--project': 'SIGNALBOX_PROJECT',
} as const;

/** @throws SignalboxError what the client throws */
export function valuesOfOperand(line: Line, last: string): Promise<Completion> {
  return valuesOf(sourceOfOperand(line.command, line.operands.length), line, last);
}

/** @throws SignalboxError what the client throws */
export function valuesOfOption(line: Line, option: Option, last: string): Promise<Completion> {
  return valuesOf(sourceOfValue(option), line, last);
}

async function valuesOf(source: Source, line: Line, last: string): Promise<Completion> {
  switch (source.kind) {
    case 'tasks':
    case 'agents':
    case 'queues':
    case 'webhooks': {
      const project = setting(line, '--project') ?? 'default';
      const context = { project, operands: line.operands };
      return { kind: 'words', candidates: await liveCandidates(client(line), source, context) };
    }
    case 'words':
      return wordsOf(source.words);
    case 'list': {
      const before = last.slice(0, last.lastIndexOf(',') + 1);
      const given = before.split(',');
      return wordsOf(source.words.filter((word) => !given.includes(word)).map((word) => before + word));
    }
    case 'files':
    case 'directories':
      return source;
    case 'anything':
      return wordsOf([]);
    default:
      return unreachable(source, 'valuesOf');
  }
}

function client(line: Line): SignalboxClient {
  const url = setting(line, '--url') ?? DEFAULT_URL;
  const tokenFile = setting(line, '--token-file');
  const patience = { retries: 0, timeoutMs: TIMEOUT_MS };
  return clientOf({ url, tokenFile }, patience);
}

/** From the line, or from the variable that stands for the option; a command need not have it. */
function setting({ values }: Line, option: keyof typeof VARIABLES): string | undefined {
  return values.get(option) ?? (process.env[VARIABLES[option]] || undefined);
}
