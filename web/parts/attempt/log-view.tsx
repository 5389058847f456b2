/** The output of a process while it runs. The page keeps only the end of a long log. */
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { printable } from '../../../src/base/text/printable.ts';
import type { LOG_HEADERS as ServerHeaders } from '../../../src/contracts/api/system-answers.ts';
import { ApiError, request } from '../../api/http.ts';

/** A copy: the module that exports it contains all schemas of answers. */
const LOG_HEADERS: Pick<typeof ServerHeaders, 'nextOffset' | 'complete'> = {
  nextOffset: 'signalbox-next-offset',
  complete: 'signalbox-complete',
};

const STREAMS = ['stdout', 'stderr'] as const;
export type Stream = (typeof STREAMS)[number];

/** In characters. */
const MAX_SHOWN = 500_000;
const PAUSE_MS = 1_000;

export interface LogViewProps {
  readonly url: string;
  /** Shown first. If it is empty and the other one is not, the other one is shown. */
  readonly first: Stream;
}

export function LogView({ url, first }: LogViewProps) {
  const stream = useSignal<Stream>(first);
  const isChosen = useSignal(false);
  const isFollowing = useSignal(true);
  const hasWrap = useSignal(true);
  useEffect(() => {
    const stop = new AbortController();
    void firstWithOutput(url, first, stop.signal).then((found) => {
      if (!isChosen.value && !stop.signal.aborted) stream.value = found;
    });
    return () => stop.abort();
  }, [url]);
  return (
    <div class="log">
      <div class="log-bar">
        <div role="tablist" aria-label="Stream" class="tabs">
          {STREAMS.map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              aria-selected={stream.value === each}
              onClick={() => {
                stream.value = each;
                isChosen.value = true;
              }}
            >
              {each}
            </button>
          ))}
        </div>
        <Switch label="Follow" state={isFollowing} />
        <Switch label="Wrap" state={hasWrap} />
      </div>
      <LogText
        key={`${url} ${stream.value}`}
        url={`${url}?stream=${stream.value}`}
        label={stream.value}
        isFollowing={isFollowing.value}
        hasWrap={hasWrap.value}
      />
    </div>
  );
}

/** @returns the other stream only if it has output and the wanted one has none */
async function firstWithOutput(url: string, first: Stream, signal: AbortSignal): Promise<Stream> {
  const other = first === 'stdout' ? 'stderr' : 'stdout';
  const hasOutput = async (stream: Stream): Promise<boolean> => {
    const response = await request(`${url}?stream=${stream}&offset=0`, { signal });
    return response.ok && (await response.text()) !== '';
  };
  try {
    return !(await hasOutput(first)) && (await hasOutput(other)) ? other : first;
  } catch {
    // The log itself reports why it cannot be read.
    return first;
  }
}

function Switch({ label, state }: { readonly label: string; readonly state: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={state.value}
        onChange={(event) => {
          state.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

interface LogTextProps {
  readonly url: string;
  readonly label: string;
  readonly isFollowing: boolean;
  readonly hasWrap: boolean;
}

function LogText({ url, label, isFollowing, hasWrap }: LogTextProps) {
  const text = useSignal('');
  const state = useSignal<'reading' | 'open' | 'complete'>('reading');
  const trouble = useSignal<string | null>(null);
  const isCut = useSignal(false);
  const element = useRef<HTMLElement>(null);

  useEffect(() => {
    const stop = new AbortController();
    void readLog(url, stop.signal, {
      onPart: (part) => {
        const whole = text.value + part;
        isCut.value ||= whole.length > MAX_SHOWN;
        text.value = whole.slice(-MAX_SHOWN);
        trouble.value = null;
      },
      onState: (now) => {
        state.value = now;
      },
      onTrouble: (why) => {
        trouble.value = why;
      },
    });
    return () => stop.abort();
  }, [url]);
  useLayoutEffect(() => {
    if (isFollowing && element.current) element.current.scrollTop = element.current.scrollHeight;
  }, [text.value, isFollowing]);

  return (
    <>
      {isCut.value && (
        <p class="dim">The beginning is not shown here. "signalbox attempt logs" prints the whole log.</p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard. */}
      <section ref={element} class="block log-text" data-wrap={hasWrap} tabIndex={0} aria-label={label}>
        <pre>{printable(text.value)}</pre>
      </section>
      <p class="dim" role="status">
        {trouble.value ?? STATE_TEXT[state.value](text.value === '')}
      </p>
    </>
  );
}

const STATE_TEXT = {
  reading: () => 'Loading…',
  open: (isEmpty: boolean) => (isEmpty ? 'No output yet.' : 'Waiting for more output.'),
  complete: (isEmpty: boolean) => (isEmpty ? 'No output.' : 'End of the log.'),
} as const;

interface LogListener {
  readonly onPart: (text: string) => void;
  readonly onState: (state: 'open' | 'complete') => void;
  readonly onTrouble: (why: string) => void;
}

async function readLog(
  url: string,
  signal: AbortSignal,
  { onPart, onState, onTrouble }: LogListener,
): Promise<void> {
  for (let offset = 0; !signal.aborted; ) {
    try {
      const response = await request(`${url}&offset=${offset}`, { signal });
      const part = await response.text();
      if (!response.ok) throw new ApiError(response.status, JSON.parse(part));
      if (part !== '') onPart(part);
      const next = Number(response.headers.get(LOG_HEADERS.nextOffset));
      const isComplete = response.headers.get(LOG_HEADERS.complete) === 'true';
      if (isComplete) return onState('complete');
      const isMore = next > offset && part !== '';
      offset = next;
      if (isMore) continue;
      onState('open');
    } catch (error) {
      if (signal.aborted) return;
      onTrouble(error instanceof Error ? error.message : String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
