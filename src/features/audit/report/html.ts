/**
 * The report as one HTML file: no script, no request to anywhere, readable in light and dark, and on paper.
 *
 * H1 Every text goes through `html`, which escapes it: what an agent wrote is shown, and never obeyed.
 */
import type { AttemptView, CommentView, OutputView } from '../../../../projections/index.ts';
import { printable } from '../../../contracts/printable.ts';
import { STYLE } from './style.ts';
import {
  movesOf,
  type ReportedEvent,
  type TaskReport,
  timeText,
  verificationText,
  wordsOf,
} from './task-report.ts';
import { barsOf } from './timeline.ts';

/** Markup, as opposed to text that is to be escaped. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | null | Markup | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('\n');
  return printable(String(part)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((text, index) => text + (index < parts.length ? escaped(parts[index] ?? null) : '')).join(''),
  );
}

export function htmlReport(report: TaskReport): string {
  const { task, attempts, events, source, created } = report;
  const { spec } = task;
  const isWrong = report.verification.findings > 0;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${task.project}/${task.id}: ${spec.title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<p class="path">${task.project} / ${task.id}</p>
<h1>${spec.title}</h1>
<p><span class="state ${stateClass(task.state)}">${task.state}</span> created ${timeText(task.createdAt)}, last event ${timeText(task.updatedAt)}</p>
<p class="${isWrong ? 'wrong' : 'proof'}">${verificationText(report)}</p>
</header>
${spec.description === '' ? null : html`<section><h2>Task</h2>${block(spec.description)}</section>`}
<section><h2>Facts</h2>${facts(report)}</section>
<section><h2>Timeline</h2>${timeline(report)}</section>
<section><h2>Attempts</h2>${attempts.map(attemptPart)}${attempts.length === 0 ? 'None.' : null}</section>
<section><h2>Outputs</h2>${task.outputs.map(outputPart)}${task.outputs.length === 0 ? 'None.' : null}</section>
<section><h2>Comments</h2>${task.comments.map(commentPart)}${task.comments.length === 0 ? 'None.' : null}</section>
<section><h2>Events</h2>
<div class="wide"><table>
<thead><tr><th>Sequence</th><th>Time</th><th>Who</th><th>What</th><th>Moved</th><th>Said</th><th>SHA-256</th></tr></thead>
<tbody>
${events.map(eventRow)}
</tbody></table></div></section>
<footer>From ${source}, made ${timeText(created)}. Check it with <code>signalbox audit verify</code>.</footer>
</body>
</html>
`.text;
}

function stateClass(state: string): string {
  if (state === 'done' || state === 'completed') return 'good';
  return ['failed', 'timed_out', 'killed', 'spawn_failed', 'lost', 'expired', 'blocked'].includes(state)
    ? 'bad'
    : 'open';
}

function block(text: string): Markup {
  return html`<pre>${text}</pre>`;
}

function facts({ task }: TaskReport): Markup {
  const { spec } = task;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Agent', task.agent ?? spec.agent ?? null],
    ['Type', spec.type ?? null],
    ['Priority', String(spec.priority)],
    ['Review', spec.review],
    ['Attempts', `${task.attempts} of ${spec.max_attempts}`],
    ['Must have', spec.must_haves?.join('\n') ?? null],
    ['Parameters', spec.params === undefined ? null : JSON.stringify(spec.params)],
    ['Reason', task.reason],
    ['Finished', task.finishedAt === null ? null : timeText(task.finishedAt)],
  ];
  const shown = rows.filter(([, value]) => value !== null);
  return html`<dl>${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function timeline(report: TaskReport): Markup {
  const bars = barsOf(report);
  if (bars.length === 0) return html`<p>No attempt was made.</p>`;
  return html`<div class="bars">${bars.map(
    ({ attempt, agent, state, start, length, duration }) =>
      html`<span>${attempt}</span><div class="track" role="img" aria-label="attempt ${attempt} by ${agent}: ${state}, ${duration} ms"><div class="bar ${stateClass(state)}" style="left:${start}%;width:${length}%"></div></div><span>${agent}, ${state}, ${(duration / 1_000).toFixed(1)} s</span>`,
  )}</div>`;
}

function attemptPart(attempt: AttemptView): Markup {
  const rows: readonly (readonly [string, string | number | null])[] = [
    ['Claimed', timeText(attempt.claimedAt)],
    ['Started', timeText(attempt.startedAt)],
    ['Ended', timeText(attempt.endedAt)],
    ['Driver', attempt.driver],
    ['Process', attempt.pid === null ? null : `${attempt.pid} on ${attempt.host ?? 'an unknown host'}`],
    ['Exit code', attempt.exitCode],
    ['Signal', attempt.signal],
    ['Stopped for', attempt.stopReason],
    ['Error', attempt.error],
    ['CPU', attempt.cpuMs === null ? null : `${attempt.cpuMs} ms`],
    ['Peak memory', attempt.peakMemoryBytes === null ? null : `${attempt.peakMemoryBytes} bytes`],
    ['Usage', attempt.usage === null ? null : JSON.stringify(attempt.usage)],
    ['Rejected words', attempt.rejected.length === 0 ? null : attempt.rejected.length],
  ];
  const shown = rows.filter(([, value]) => value !== null);
  return html`<article><h3>Attempt ${attempt.attempt} by ${attempt.agent} <span class="state ${stateClass(attempt.state)}">${attempt.state}</span></h3>
<dl>${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${attempt.evidence === null ? null : html`<h4>Evidence</h4>${block(JSON.stringify(attempt.evidence, null, 2))}`}
${attempt.stderrTail === null || attempt.stderrTail === '' ? null : html`<h4>End of standard error</h4>${block(attempt.stderrTail)}`}
</article>`;
}

function outputPart(output: OutputView): Markup {
  const { content_file: file } = output;
  return html`<article><h3>${output.number}. ${output.title}</h3>
<p class="small">${output.type}, by ${output.agent}, attempt ${output.attempt ?? '–'}, ${timeText(output.time)}, event ${output.sequence}</p>
${output.summary === undefined ? null : html`<p>${output.summary}</p>`}
${file === undefined ? null : html`<p class="small">file ${file.path}, ${file.size} bytes, SHA-256 <code>${file.sha256}</code></p>`}
${output.content === undefined ? null : block(output.content)}
</article>`;
}

function commentPart({ author, body, time, sequence }: CommentView): Markup {
  return html`<article><p class="small">${author}, ${timeText(time)}, event ${sequence}</p>${block(body)}</article>`;
}

function eventRow({ record, hash, isRedacted }: ReportedEvent): Markup {
  const words = isRedacted ? 'its content was erased' : wordsOf(record.event);
  return html`<tr><td>${record.sequence}</td><td>${timeText(record.time)}</td><td>${record.actor}</td><td>${record.event.type}</td><td>${movesOf(record)}</td><td>${words}</td><td><code>${hash}</code></td></tr>`;
}
