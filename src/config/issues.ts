/** Errors in a configuration, for people and programs. */
import { SignalboxError } from '../contracts/errors.ts';

export type Path = readonly (string | number)[];

/** An error with the keys and list positions that lead to it. */
export interface ConfigProblem {
  readonly path: Path;
  readonly message: string;
}

/** A position in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** An error; `file` is null for variables and options, `line` and `column` if there is no line. */
export interface ConfigIssue {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** The path in the file (`agents.yunce.command[0]`, empty for the file as a whole), a variable or an option. */
  readonly field: string;
  readonly message: string;
}

const PLAIN_KEY = /^[A-Za-z0-9_$-]+$/;

/** A path as messages show it: `agents.yunce.command[0]`. */
export function fieldOf(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!PLAIN_KEY.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** An issue without a position in a file. */
export function issueAt(file: string | null, field: string, message: string): ConfigIssue {
  return { file, line: null, column: null, field, message };
}

/** `config_invalid` with one line for each issue: those of the file by line, then variables and options. */
export function configError(issues: readonly ConfigIssue[], cause?: unknown): SignalboxError {
  const sorted = issues.toSorted((a, b) => rank(a.line) - rank(b.line) || rank(a.column) - rank(b.column));
  return new SignalboxError('config_invalid', sorted.map(lineOf).join('\n'), {
    details: { issues: sorted },
    cause,
  });
}

function rank(position: number | null): number {
  return position ?? Number.MAX_SAFE_INTEGER;
}

function lineOf({ file, line, column, field, message }: ConfigIssue): string {
  const place = line === null || column === null ? file : `${file}:${line}:${column}`;
  const where = [place, field].filter((part) => part !== null && part !== '').join(' ');
  return `${where}: ${message}`;
}
