/** Outputs and comments as text. */

import { oneLine, printable } from '../../base/text/printable.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import type { Terminal } from '../terminal.ts';
import { bytesText, clockText } from '../text/time.ts';
import { shorten } from '../text/width.ts';

type OutputAnswer = NonNullable<TaskAnswer['outputs']>[number];
type CommentAnswer = NonNullable<TaskAnswer['comments']>[number];

type Shown = Pick<Terminal, 'columns' | 'style'>;

export interface OutputTextOptions {
  /** Lines of content per output, without blank lines; infinite for the unchanged content. */
  readonly maxLines: number;
  readonly indent: string;
}

export function outputLines(terminal: Shown, output: OutputAnswer, options: OutputTextOptions): string[] {
  const { number, type, title, attempt, agent, time, summary } = output;
  const from = attempt === null ? agent : `attempt ${attempt}, ${agent}`;
  const head = `${options.indent}${number}. ${terminal.style('bold', oneLine(title))} (${type}; ${oneLine(from)}, ${clockText(time)})`;
  const body = [...(summary === null ? [] : [oneLine(summary)]), ...contentLines(terminal, output, options)];
  return [head, ...body.map((line) => `${options.indent}   ${line}`)];
}

function contentLines(
  terminal: Shown,
  output: OutputAnswer,
  { maxLines, indent }: OutputTextOptions,
): string[] {
  const { content, content_file: file } = output;
  if (file !== null)
    return [`${bytesText(file.size)} in ${printable(file.stored_at)}`, `sha256 ${file.sha256}`];
  const isAll = maxLines === Number.POSITIVE_INFINITY;
  const lines = printable(content ?? '')
    .trimEnd()
    .split('\n')
    .filter((line) => isAll || line.trim() !== '');
  const bar = terminal.style('dim', '│');
  const room = terminal.columns - indent.length - 5;
  const shown = lines
    .slice(0, maxLines)
    .map((line) => `${bar} ${isAll ? line : shorten(line, room)}`.trimEnd());
  const left = lines.length - shown.length;
  return left === 0 ? shown : [...shown, terminal.style('dim', `… ${left} more lines`)];
}

export function commentLines(
  terminal: Shown,
  { author, body, time }: CommentAnswer,
  indent: string,
): string[] {
  const [first = '', ...rest] = printable(body).split('\n');
  const who = terminal.style('bold', oneLine(author));
  return [
    `${indent}${who} ${terminal.style('dim', clockText(time))}: ${first}`,
    ...rest.map((line) => `${indent}  ${line}`),
  ];
}
