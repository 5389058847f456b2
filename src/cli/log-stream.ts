/** Signalbox's own log: JSON lines, or readable lines on a terminal. */
import { type Logger, pino } from 'pino';
import { z } from 'zod';
import { oneLine, printable } from '../base/text/printable.ts';
import { type Style, type Styler, stylerFor } from './terminal.ts';
import { clockText } from './text/time.ts';
import { pad } from './text/width.ts';

export interface LogTarget {
  write(text: string): void;
}

/** @param readable writes readable lines in this style instead of JSON */
export function createLogger(level: string, target: LogTarget, readable?: Styler): Logger {
  const write = readable
    ? (line: string) => target.write(`${readableLine(line, readable)}\n`)
    : (line: string) => target.write(line);
  return pino({ level }, { write });
}

/** A logger to standard error, readable if that is a terminal. */
export function standardErrorLogger(level: string): Logger {
  const { stderr } = process;
  return createLogger(level, stderr, stderr.isTTY ? stylerFor(stderr, process.env) : undefined);
}

const LEVELS: Readonly<Record<number, readonly [string, Style]>> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'green'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
};
const LEVEL_WIDTH = 5;

const lineSchema = z.looseObject({
  level: z.number(),
  time: z.number(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string(), code: z.string().optional() }).optional(),
});
/** Left out of readable lines: the same in every line of a process. */
const CONSTANT = new Set(['pid', 'hostname']);

/** As in `14:03:07 warn  could not be started  project=demo task=t1 error="no such file"`. */
function readableLine(json: string, style: Styler): string {
  const parsed = lineSchema.safeParse(JSON.parse(json));
  if (!parsed.success) return printable(json.trimEnd());
  const { level, time, msg = '', err, ...bindings } = parsed.data;
  const [name, colour] = LEVELS[level] ?? [String(level), 'dim'];
  const fields = Object.entries(bindings).filter(([key]) => !CONSTANT.has(key));
  if (err !== undefined) fields.push(['error', err.message]);
  const shown = fields.map(([key, value]) => ` ${key}=${valueText(value)}`).join('');
  const head = `${style('dim', clockText(time))} ${style(colour, pad(name, LEVEL_WIDTH))}`;
  return `${head} ${oneLine(msg)}${shown === '' ? '' : ` ${style('dim', shown)}`}`;
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return oneLine(/[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text);
}
