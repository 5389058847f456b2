/** The report as Markdown. Text of agents is escaped or fenced. */

import { oneLine } from '../../../base/text/printable.ts';
import { taskKey } from '../../../contracts/ids.ts';
import { type Bar, type Part, reportParts } from './document.ts';
import { type TaskReport, timeText, verificationText } from './task-report.ts';

/** In characters. */
const BAR_WIDTH = 40;

export function markdownReport(report: TaskReport): string {
  const { task, source, created } = report;
  const name = inline(taskKey({ project: task.project, task: task.id }));
  const parts = [
    `# ${inline(task.spec.title)}`,
    `${name} is **${task.state}**, created ${timeText(task.createdAt)}, last event ${timeText(task.updatedAt)}.`,
    `> ${verificationText(report)}`,
    ...reportParts(report).map(rendered),
    `From ${inline(source)}, written ${timeText(created)}. Verify it with \`signalbox audit verify\`.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function rendered(part: Part): string {
  switch (part.kind) {
    case 'heading':
      return `${'#'.repeat(part.level)} ${inline(part.text)}${part.state === undefined ? '' : `: ${part.state}`}`;
    case 'facts':
      return part.rows.map(([name, value]) => `- ${name}: ${inline(value)}`).join('\n');
    case 'paragraph':
      return inline(part.text);
    case 'block':
      return fenced(part.text);
    case 'bars':
      return fenced(part.bars.map(barLine).join('\n'));
    case 'table': {
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      const rows = part.rows.map((cells) => [...cells.slice(0, -1).map(inline), `\`${cells.at(-1)}\``]);
      return [part.titles, part.titles.map(() => '---'), ...rows].map(line).join('\n');
    }
  }
}

function barLine({ attempt, text, start, length }: Bar): string {
  const before = Math.floor((start / 100) * BAR_WIDTH);
  const width = Math.max(1, Math.round((length / 100) * BAR_WIDTH));
  const bar = `${' '.repeat(before)}${'█'.repeat(width)}`.slice(0, BAR_WIDTH).padEnd(BAR_WIDTH);
  return `${String(attempt).padStart(3)} |${bar}| ${text}`;
}

/** On one line, with the special characters of Markdown and HTML escaped. */
function inline(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_{}[\]()#+!|~>]/g, '\\$&');
}

/** As it is, between fences that are longer than any fence in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
