/** The transcript of an attempt in the page: the newest part first, then what comes, and earlier parts on demand. */
import { signal } from '@preact/signals';
import {
  type TranscriptBlock,
  TranscriptBlocks,
  type UsageEntry,
} from '../../src/contracts/transcript/blocks.ts';
import { follow } from '../api/events.ts';
import { get, reasonOf } from '../api/http.ts';
import type { AnswerOf } from '../api/types.ts';

type Part = AnswerOf<'readTranscript'>;

/** Lines of the output that are read first, and each time that earlier ones are wanted. */
const FIRST_LINES = 500;
const EARLIER_LINES = 1_000;
/** Blocks that the page keeps; of more, the oldest leave it, and can be read again. */
const MAX_BLOCKS = 2_000;
const KEPT_BLOCKS = 1_500;

export class TranscriptReader {
  readonly blocks = signal<readonly TranscriptBlock[]>([]);
  readonly usage = signal<UsageEntry | null>(null);
  readonly state = signal<'reading' | 'open' | 'complete'>('reading');
  readonly hasEarlier = signal(false);
  readonly trouble = signal<string | null>(null);
  readonly #url: string;
  readonly #stop = new AbortController();
  #shown = new TranscriptBlocks();
  #start = 0;

  /** @param url of the transcript */
  constructor(url: string) {
    this.#url = url;
  }

  async run(): Promise<void> {
    const { signal: stopped } = this.#stop;
    let first: Part | undefined;
    while (first === undefined && !stopped.aborted)
      first = await this.#read(`before=end&limit=${FIRST_LINES}`);
    if (first === undefined || stopped.aborted) return;
    this.#begin(first, first.entries);
    if (first.complete) return;
    const ended = new AbortController();
    await follow(`${this.#url}/live?after=${first.next}`, {
      signal: AbortSignal.any([stopped, ended.signal]),
      onEvent: ({ event, data }) => {
        if (event !== 'part') return;
        const part: Part = JSON.parse(data);
        this.#add(part);
        if (part.complete) ended.abort();
      },
      onState: (now) => {
        this.trouble.value = now === 'lost' ? 'The connection is lost; the page reconnects.' : null;
      },
    });
  }

  async readEarlier(): Promise<void> {
    const part = await this.#read(`before=${this.#start}&limit=${EARLIER_LINES}`);
    if (part && !this.#stop.signal.aborted) this.#begin(part, [...part.entries, ...this.#shown.blocks]);
  }

  stop(): void {
    this.#stop.abort();
  }

  #begin({ start, has_earlier, complete }: Part, entries: Part['entries']): void {
    this.#start = start;
    this.hasEarlier.value = has_earlier;
    this.#shown = new TranscriptBlocks();
    this.#shown.add(entries);
    this.#show();
    if (this.state.value !== 'complete') this.state.value = complete ? 'complete' : 'open';
  }

  #add({ entries, complete }: Part): void {
    this.#shown.add(entries);
    if (this.#shown.blocks.length > MAX_BLOCKS) this.#leaveOut();
    this.#show();
    if (complete) this.state.value = 'complete';
  }

  /** The oldest blocks leave the page, together with all others of the same line. */
  #leaveOut(): void {
    const { blocks } = this.#shown;
    const first = blocks.findIndex(
      ({ id }, index) => index >= blocks.length - KEPT_BLOCKS && id.endsWith('.0'),
    );
    const [place = ''] = blocks[first]?.id.split('.') ?? [];
    if (first < 1) return;
    this.#shown = new TranscriptBlocks();
    this.#shown.add(blocks.slice(first));
    this.#start = Number(place);
    this.hasEarlier.value = true;
  }

  #show(): void {
    this.blocks.value = [...this.#shown.blocks];
    this.usage.value = this.#shown.usage ?? this.usage.value;
  }

  async #read(query: string): Promise<Part | undefined> {
    try {
      const part = await get<Part>(`${this.#url}?${query}`, this.#stop.signal);
      this.trouble.value = null;
      return part;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      this.trouble.value = reasonOf(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return undefined;
    }
  }
}

const PAUSE_MS = 1_000;
