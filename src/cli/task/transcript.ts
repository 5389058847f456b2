/** `signalbox attempt transcript`: what an agent said and did, as it goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { oneLine, printable } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import { unreachable } from '../../contracts/errors.ts';
import type { AttemptRef } from '../../contracts/ids.ts';
import {
  type CallEntry,
  continues,
  mergedUsage,
  type TranscriptBlock,
  type UsageEntry,
} from '../../contracts/transcript/blocks.ts';
import type { TranscriptEntry, TranscriptPage } from '../../contracts/transcript/schemas.ts';
import {
  callText,
  gapText,
  STEP_MARKS,
  sessionText,
  transcriptUsageText,
  turnText,
} from '../../contracts/transcript/text.ts';
import { noteUnreachable, retryWhileUnreachable } from '../follow.ts';
import type { Style, Terminal } from '../terminal.ts';

/** Pause between two requests if there was nothing new. */
const PAUSE_MS = 500;

export interface TranscriptOptions {
  readonly follow?: true;
  readonly json?: true;
  /** Lines of the output at the end, instead of all. */
  readonly tail?: number;
}

export async function printTranscript(
  terminal: Terminal,
  client: SignalboxClient,
  attempt: AttemptRef,
  { follow, json, tail }: TranscriptOptions,
): Promise<void> {
  const printer = json ? new JsonPrinter(terminal) : new TranscriptPrinter(terminal);
  const first = tail === undefined ? { after: 0 } : { before: 'end' as const, limit: tail };
  let page = await client.readTranscript({ ...attempt, ...first });
  for (;;) {
    printer.print(page.entries);
    const { next, complete } = page;
    if (complete) break;
    const more: TranscriptPage = await retryWhileUnreachable(noteUnreachable(terminal), () =>
      client.readTranscript({ ...attempt, after: next }),
    );
    const isEnd = more.next === next && !more.complete;
    if (isEnd && !follow) break;
    if (isEnd) await sleep(PAUSE_MS);
    page = more;
  }
  printer.end();
}

class JsonPrinter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  print(entries: readonly TranscriptEntry[]): void {
    for (const entry of entries) this.#terminal.print(JSON.stringify(entry));
  }

  end(): void {}
}

/** Calls whose beginning is remembered, to name them again at their end. */
const MAX_CALLS = 1_000;
/** Lines of an input or an output that are shown. */
const MAX_LINES = 12;

class TranscriptPrinter {
  readonly #terminal: Terminal;
  /** The message whose line has no end yet. */
  #open: TranscriptBlock | null = null;
  readonly #calls = new Map<string, CallEntry>();
  #usage: UsageEntry | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  print(entries: readonly TranscriptEntry[]): void {
    for (const entry of entries) this.#print(entry);
  }

  end(): void {
    this.#close();
    const usage = this.#usage === null ? '' : transcriptUsageText(this.#usage);
    if (usage !== '') this.#terminal.print(this.#terminal.style('dim', usage));
  }

  #print(entry: TranscriptEntry): void {
    switch (entry.kind) {
      case 'usage':
        this.#usage = mergedUsage(this.#usage, entry);
        return;
      case 'message':
      case 'thought':
        return this.#say(entry);
      case 'tool_call':
        return this.#call(entry);
      case 'plan':
        this.#line('cyan', 'plan');
        for (const { text, state } of entry.steps) this.#text(`  ${STEP_MARKS[state]} ${oneLine(text)}`);
        return;
      case 'permission': {
        const { tool, title, question, input } = entry;
        const what = callText({ tool, title, call: 'something' });
        this.#line('yellow', `asks: ${what}${question === undefined ? '' : ` (question ${question})`}`);
        return this.#indented(input);
      }
      case 'session':
        return this.#line('dim', sessionText(entry));
      case 'turn':
        return this.#line(entry.ok ? 'green' : 'red', turnText(entry));
      case 'error':
        return this.#line('red', `error: ${entry.text}`);
      case 'raw':
        return this.#text(printable(entry.text));
      case 'gap':
        return this.#line('yellow', gapText(entry));
      default:
        return unreachable(entry, 'print');
    }
  }

  #say(entry: Extract<TranscriptEntry, { kind: 'message' | 'thought' }>): void {
    if (this.#open === null || !continues(this.#open, entry)) {
      this.#close();
      const isUser = entry.kind === 'message' && entry.role === 'user';
      if (isUser || entry.kind === 'thought') this.#line('dim', isUser ? 'user:' : 'thinking:');
    }
    const text = printable(entry.text);
    this.#terminal.write(entry.kind === 'thought' ? this.#terminal.style('dim', text) : text);
    this.#open = entry;
    if (!entry.part) this.#close();
  }

  #call(entry: CallEntry): void {
    const known = this.#calls.get(entry.call);
    const call = { ...known, ...entry, tool: entry.tool ?? known?.tool, title: entry.title ?? known?.title };
    const isOver = entry.state === 'completed' || entry.state === 'failed';
    if (known === undefined || (entry.title !== undefined && entry.title !== known.title)) {
      this.#line('blue', `$ ${callText(call)}`);
      this.#indented(entry.diff ?? entry.input);
    }
    if (isOver && known?.state !== entry.state) {
      this.#line(entry.state === 'failed' ? 'red' : 'dim', `${entry.state}: ${callText(call)}`);
      this.#indented(entry.output);
    }
    this.#calls.delete(entry.call);
    this.#calls.set(entry.call, { ...call, state: entry.state ?? known?.state });
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > MAX_CALLS && oldest !== undefined) this.#calls.delete(oldest);
  }

  #indented(text: string | undefined): void {
    if (text === undefined) return;
    const lines = printable(text).split('\n');
    for (const line of lines.slice(0, MAX_LINES)) this.#text(this.#terminal.style('dim', `  ${line}`));
    if (lines.length > MAX_LINES)
      this.#text(this.#terminal.style('dim', `  … ${lines.length - MAX_LINES} more lines (--json has all)`));
  }

  #line(style: Style, text: string): void {
    this.#text(this.#terminal.style(style, oneLine(text)));
  }

  #text(text: string): void {
    this.#close();
    this.#terminal.print(text);
  }

  #close(): void {
    if (this.#open !== null) this.#terminal.write('\n');
    this.#open = null;
  }
}
