/** The report as one HTML file without scripts or requests, for light and dark screens and for paper. */
import { Html, html } from '../../../base/text/html.ts';
import { printable } from '../../../base/text/printable.ts';
import { taskKey } from '../../../contracts/ids.ts';
import { type Bar, type Part, reportParts } from './document.ts';
import { type TaskReport, timeText, verificationText } from './task-report.ts';

export function htmlReport(report: TaskReport): string {
  const { task, source, created, verification } = report;
  const title = printable(task.spec.title);
  const name = taskKey({ project: task.project, task: task.id });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${name}: ${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<p class="small">${name}</p>
<h1>${title}</h1>
<p>${badge(task.state)} created ${timeText(task.createdAt)}, last event ${timeText(task.updatedAt)}</p>
<p class="${verification.findings > 0 ? 'wrong' : 'proof'}">${verificationText(report)}</p>
${reportParts(report).map(rendered)}
<footer>From ${printable(source)}, written ${timeText(created)}. Verify it with <code>signalbox audit verify</code>.</footer>
</body>
</html>
`.text;
}

function rendered(part: Part): Html {
  switch (part.kind) {
    case 'heading': {
      const tag = new Html(`h${part.level}`);
      return html`<${tag}>${part.text} ${part.state === undefined ? '' : badge(part.state)}</${tag}>`;
    }
    case 'facts':
      return html`<dl>${part.rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
    case 'paragraph':
      return html`<p class="${part.isNote ? 'small' : 'text'}">${part.text}</p>`;
    case 'block':
      return html`<pre>${part.text}</pre>`;
    case 'bars':
      return html`<div class="bars">${part.bars.map(bar)}</div>`;
    case 'table':
      return html`<div class="wide"><table>
<thead><tr>${part.titles.map((title) => html`<th>${title}</th>`)}</tr></thead>
<tbody>
${part.rows.map((cells) => html`<tr>${cells.map((cell, index) => tableCell(cell, index === cells.length - 1))}</tr>`)}
</tbody></table></div>`;
  }
}

const badge = (state: string): Html => html`<span class="state ${stateClass(state)}">${state}</span>`;

const tableCell = (cell: string, isHash: boolean): Html =>
  isHash ? html`<td><code>${cell}</code></td>` : html`<td>${cell}</td>`;

function bar({ attempt, text, state, start, length }: Bar): Html {
  return html`<span>${attempt}</span><div class="track" role="img" aria-label="attempt ${attempt}: ${text}"><div class="bar ${stateClass(state)}" style="left:${start}%;width:${length}%"></div></div><span>${text}</span>`;
}

const BAD_STATES = ['failed', 'timed_out', 'killed', 'spawn_failed', 'lost', 'expired', 'blocked'];

function stateClass(state: string): string {
  if (state === 'done' || state === 'completed') return 'good';
  return BAD_STATES.includes(state) ? 'bad' : 'open';
}

const STYLE = `
:root { --paper: #fff; --ink: #1d2129; --soft: #5b6472; --line: #d5d9e0; --box: #f4f5f7; --good: #1a7f47; --bad: #b3261e; --open: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #e6e8ec; --soft: #a0a8b5; --line: #353b45; --box: #1e2229; --good: #4cc38a; --bad: #ff8a80; --open: #7fb2ff; }
}
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; } h3 { padding-top: .8rem; border-top: 1px solid var(--line); font-size: 1rem; overflow-wrap: anywhere; } h4 { margin: .5rem 0; font-size: .9rem; }
.small, footer { color: var(--soft); font-size: .875rem; }
.state { padding: .1rem .5rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .875rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.proof, .wrong { padding: .6rem .8rem; border-left: .3rem solid var(--good); background: var(--box); overflow-wrap: anywhere; } .wrong { border-color: var(--bad); font-weight: 600; }
pre { padding: .8rem; background: var(--box); white-space: pre-wrap; overflow-wrap: anywhere; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .4rem .8rem; align-items: center; }
.track { position: relative; height: 1.1rem; background: var(--box); border: 1px solid var(--line); } .bar { position: absolute; inset-block: 0; background: currentColor; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; } td { overflow-wrap: anywhere; }
td code { font-size: .75rem; } footer { margin-top: 2rem; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --box: #fff; --good: #060; --bad: #900; --open: #036; }
  body { max-width: none; padding: 0; font-size: 9pt; } h3, h4 { break-after: avoid; } tr { break-inside: avoid; } .bar { print-color-adjust: exact; } .wide { overflow: visible; }
}
`;
