/** A recorded history in a file, and the commands of the command line that read it. */
import { expect } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { goldenHistory } from '../../support/histories/golden.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

export const REVIEWS = goldenHistory('0.1.0', 'reviews').file;

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function run(...args: string[]): Promise<Result> {
  const terminal = new RecordedTerminal();
  const code = await runProgram(terminal, args, {});
  return { code, out: terminal.out, err: terminal.err };
}

export const onFile = (command: string, ...args: string[]): Promise<Result> =>
  run(...command.split(' '), '--file', REVIEWS, ...args);

export async function json<T>(command: string, ...args: string[]): Promise<T> {
  const { code, out, err } = await onFile(command, ...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
}

export interface Shown {
  readonly sequence: number;
  readonly event: { readonly type: string; readonly task?: string };
  readonly time: string;
}

/** All events of the history. */
export async function recordedEvents(): Promise<readonly Shown[]> {
  const { out } = await onFile('events tail', '--from', '1', '--json');
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Shown);
}

/** The first event of a type from a place on. */
export function firstOf(events: readonly Shown[], type: string, from = 1): Shown {
  const found = events.find(({ sequence, event }) => sequence >= from && event.type === type);
  if (!found) throw new Error(`no ${type} from ${from} on`);
  return found;
}
