/** Where a command prints: its result to standard output, everything else to standard error. */
import { styleText } from 'node:util';
import { EXIT_CODES } from './exit-codes.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export interface Terminal {
  /** Exit code of the command unless it throws. */
  exitCode: number;
  /** Whether standard output is a terminal: lines may be redrawn and must fit. */
  readonly isInteractive: boolean;
  /** Columns of a line; infinite unless standard output is a terminal. */
  readonly columns: number;
  /** The text in this style; unchanged without colours. */
  readonly style: Styler;
  /** Writes a line to standard output. */
  print(line?: string): void;
  /** Writes to standard output without a line break. */
  write(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Writes to standard error without a line break, to redraw a line; null unless it is a terminal. */
  readonly redraw: ((text: string) => void) | null;
  /** Replaces what happens when standard output is closed (`| head`): by default, the process ends. */
  onReaderGone(handler: () => void): void;
}

const USUAL_COLUMNS = 80;

export type Styler = (style: Style, text: string) => string;

/** Colours on a terminal, except with NO_COLOR (https://no-color.org). */
export function stylerFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Styler {
  const hasColours = isTerminal(stream, env) && !env.NO_COLOR;
  return (style, text) => (hasColours ? styleText(style, text, { validateStream: false }) : text);
}

function isTerminal(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** The terminal of this process. */
export function processTerminal(env: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = process;
  const isInteractive = isTerminal(stdout, env);
  // EPIPE means that the reader has enough, which is no failure.
  let onReaderGone = (error: NodeJS.ErrnoException): void =>
    process.exit(error.code === 'EPIPE' ? EXIT_CODES.ok.code : EXIT_CODES.failure.code);
  stdout.on('error', (error) => onReaderGone(error));
  stderr.on('error', () => {});
  return {
    exitCode: EXIT_CODES.ok.code,
    isInteractive,
    get columns() {
      return isInteractive ? stdout.columns || USUAL_COLUMNS : Number.POSITIVE_INFINITY;
    },
    style: stylerFor(stdout, env),
    print: (line = '') => {
      stdout.write(`${line}\n`);
    },
    write: (text) => {
      stdout.write(text);
    },
    note: (line) => {
      stderr.write(`${line}\n`);
    },
    redraw: isTerminal(stderr, env)
      ? (text) => {
          stderr.write(text);
        }
      : null,
    onReaderGone: (handler) => {
      onReaderGone = handler;
    },
  };
}
