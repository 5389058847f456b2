/** Where a command speaks to: standard output for what was asked for, standard error for everything else. */
import { styleText } from 'node:util';
import { EXIT_CODES } from './exit-codes.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export interface Terminal {
  /** What the command ends with, where it does not throw. */
  exitCode: number;
  /** Whether a person is looking: lines may be redrawn, and are to fit. */
  readonly isInteractive: boolean;
  /** Columns of a line; infinite where nobody is looking. */
  readonly columns: number;
  /** The text in this style, or as it is where there are no colours. */
  readonly style: Styler;
  /** Writes a line to standard output. */
  print(line?: string): void;
  /** Writes to standard output as it is. */
  write(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Writes to standard error as it is, to draw a line again; null where no person is looking at it. */
  readonly redraw: ((text: string) => void) | null;
  /** What to do when nobody reads standard output any more (`| head`); without it, the process ends. */
  onReaderGone(handler: () => void): void;
}

const USUAL_COLUMNS = 80;

export type Styler = (style: Style, text: string) => string;

/** Colours only on a terminal, and not with NO_COLOR (https://no-color.org). */
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
  // Whoever has read enough is content; what could not be written for another reason is a failure.
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
