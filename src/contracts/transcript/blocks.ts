/** The transcript as people read it: the parts of a message as one text, and all that is known of a call in one place. */
import type { TranscriptEntry } from './schemas.ts';

export type CallEntry = Extract<TranscriptEntry, { kind: 'tool_call' }>;
export type UsageEntry = Extract<TranscriptEntry, { kind: 'usage' }>;
/** What is shown one below the other. */
export type TranscriptBlock = Exclude<TranscriptEntry, UsageEntry>;

/** Characters of one block; what follows begins another one. */
const MAX_BLOCK = 50_000;

/** The blocks of a transcript, as its entries come, in their order. */
export class TranscriptBlocks {
  readonly #blocks: TranscriptBlock[] = [];
  /** Places in the list, by call. */
  readonly #calls = new Map<string, number>();
  #usage: UsageEntry | null = null;

  /** @param entries also blocks of an earlier list, to continue it */
  add(entries: readonly TranscriptEntry[]): void {
    for (const entry of entries) this.#add(entry);
  }

  get blocks(): readonly TranscriptBlock[] {
    return this.#blocks;
  }

  /** The newest number of each kind; null if there is none. */
  get usage(): UsageEntry | null {
    return this.#usage;
  }

  #add(entry: TranscriptEntry): void {
    if (entry.kind === 'usage') {
      this.#usage = mergedUsage(this.#usage, entry);
      return;
    }
    const last = this.#blocks.length - 1;
    const before = this.#blocks[last];
    const joined = before && joinedWith(before, entry);
    if (joined) {
      this.#blocks[last] = joined;
      return;
    }
    if (entry.kind === 'tool_call') {
      const place = this.#calls.get(entry.call);
      const known = place === undefined ? undefined : this.#blocks[place];
      if (place !== undefined && known?.kind === 'tool_call') {
        this.#blocks[place] = { ...known, ...given(entry), id: known.id };
        return;
      }
      this.#calls.set(entry.call, this.#blocks.length);
    }
    this.#blocks.push(entry);
  }
}

/** The fields that have a value. */
function given(entry: CallEntry): CallEntry {
  const { kind, id, call } = entry;
  const filled = Object.entries(entry).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(filled), kind, id, call };
}

export function mergedUsage(before: UsageEntry | null, usage: UsageEntry): UsageEntry {
  if (before === null) return usage;
  return {
    kind: 'usage',
    id: usage.id,
    context_tokens: usage.context_tokens ?? before.context_tokens,
    context_size: usage.context_size ?? before.context_size,
    input_tokens: usage.input_tokens ?? before.input_tokens,
    output_tokens: usage.output_tokens ?? before.output_tokens,
    cost_usd: usage.cost_usd ?? before.cost_usd,
  };
}

/** Undefined if the entry begins a block of its own. */
function joinedWith(before: TranscriptBlock, entry: TranscriptBlock): TranscriptBlock | undefined {
  if (!('text' in before) || !('text' in entry)) return undefined;
  if (before.parent !== entry.parent || before.text.length + entry.text.length > MAX_BLOCK) return undefined;
  const cut =
    before.cut === undefined && entry.cut === undefined ? {} : { cut: (before.cut ?? 0) + (entry.cut ?? 0) };
  if (before.kind === 'raw' && entry.kind === 'raw')
    return { ...before, text: `${before.text}\n${entry.text}`, ...cut };
  return continues(before, entry) ? { ...before, text: before.text + entry.text, ...cut } : undefined;
}

/** Whether it goes on in the same message. */
export function continues(before: TranscriptBlock, entry: TranscriptBlock): boolean {
  const isSpoken = before.kind === 'message' || before.kind === 'thought';
  if (!isSpoken || before.kind !== entry.kind || !before.part || !entry.part) return false;
  if (before.kind === 'message' && entry.kind === 'message' && before.role !== entry.role) return false;
  return before.message === entry.message && before.parent === entry.parent;
}
