/** The report as Markdown, for a ticket or a repository. What was written by others is escaped, or fenced. */
import type { AttemptView } from '../../../../projections/index.ts';
import { oneLine, printable } from '../../../contracts/printable.ts';
import { movesOf, type TaskReport, timeText, verificationText, wordsOf } from './task-report.ts';
import { barsOf } from './timeline.ts';

const BAR_WIDTH = 40;

export function markdownReport(report: TaskReport): string {
  const { task, attempts, events, source, created } = report;
  const parts = [
    `# ${inline(task.spec.title)}`,
    `${inline(`${task.project}/${task.id}`)} is **${task.state}**, created ${timeText(task.createdAt)}, last event ${timeText(task.updatedAt)}.`,
    `> ${verificationText(report)}`,
    ...(task.spec.description === '' ? [] : ['## Task', fenced(task.spec.description)]),
    '## Timeline',
    timeline(report),
    '## Attempts',
    ...(attempts.length === 0 ? ['None.'] : attempts.flatMap(attemptParts)),
    '## Outputs',
    ...(task.outputs.length === 0 ? ['None.'] : []),
    ...task.outputs.flatMap((output) => [
      `### ${output.number}\\. ${inline(output.title)}`,
      `${output.type}, by ${inline(output.agent)}, attempt ${output.attempt ?? '–'}, ${timeText(output.time)}, event ${output.sequence}`,
      ...(output.summary === undefined ? [] : [inline(output.summary)]),
      ...(output.content_file === undefined
        ? []
        : [
            `file ${inline(output.content_file.path)}, ${output.content_file.size} bytes, SHA-256 \`${inline(output.content_file.sha256)}\``,
          ]),
      ...(output.content === undefined ? [] : [fenced(output.content)]),
    ]),
    '## Comments',
    ...(task.comments.length === 0 ? ['None.'] : []),
    ...task.comments.flatMap(({ author, body, time, sequence }) => [
      `**${inline(author)}**, ${timeText(time)}, event ${sequence}:`,
      fenced(body),
    ]),
    '## Events',
    table(
      ['Sequence', 'Time', 'Who', 'What', 'Moved', 'Said', 'SHA-256'],
      events.map(({ record, hash, isRedacted }) => [
        String(record.sequence),
        timeText(record.time),
        inline(record.actor),
        record.event.type,
        movesOf(record),
        isRedacted ? 'its content was erased' : inline(wordsOf(record.event)),
        `\`${hash}\``,
      ]),
    ),
    `From ${inline(source)}, made ${timeText(created)}. Check it with \`signalbox audit verify\`.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function attemptParts(attempt: AttemptView): string[] {
  const { exitCode, signal, error, evidence, stderrTail } = attempt;
  const facts = [
    `claimed ${timeText(attempt.claimedAt)}`,
    `started ${timeText(attempt.startedAt)}`,
    `ended ${timeText(attempt.endedAt)}`,
    ...(attempt.pid === null
      ? []
      : [`process ${attempt.pid} on ${inline(attempt.host ?? 'an unknown host')}`]),
    ...(exitCode === null ? [] : [`exit code ${exitCode}`]),
    ...(signal === null ? [] : [`signal ${inline(signal)}`]),
    ...(error === null ? [] : [`error: ${inline(error)}`]),
  ];
  return [
    `### Attempt ${attempt.attempt} by ${inline(attempt.agent)}: ${attempt.state}`,
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...(evidence === null ? [] : ['Evidence:', fenced(JSON.stringify(evidence, null, 2))]),
    ...(stderrTail === null || stderrTail === '' ? [] : ['End of standard error:', fenced(stderrTail)]),
  ];
}

function timeline(report: TaskReport): string {
  const bars = barsOf(report);
  if (bars.length === 0) return 'No attempt was made.';
  const lines = bars.map(({ attempt, agent, state, start, length, duration }) => {
    const before = Math.floor((start / 100) * BAR_WIDTH);
    const width = Math.max(1, Math.round((length / 100) * BAR_WIDTH));
    const bar = `${' '.repeat(before)}${'█'.repeat(width)}`.slice(0, BAR_WIDTH).padEnd(BAR_WIDTH);
    return `${String(attempt).padStart(3)} |${bar}| ${agent}, ${state}, ${(duration / 1_000).toFixed(1)} s`;
  });
  return fenced(lines.join('\n'));
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/** In one line, with nothing that Markdown or HTML would take for its own. */
function inline(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_{}[\]()#+!|~>]/g, '\\$&');
}

/** As it is, between fences that are longer than any in it. */
function fenced(text: string): string {
  const shown = printable(text);
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${shown}\n${fence}`;
}
