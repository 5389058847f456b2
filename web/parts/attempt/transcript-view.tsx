/** What an agent says and does, as it goes on: readable on a phone, and followed at its end. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { CallEntry, TranscriptBlock } from '../../../src/contracts/transcript/blocks.ts';
import {
  callStateText,
  callText,
  STEP_MARKS,
  transcriptUsageText,
} from '../../../src/contracts/transcript/text.ts';
import { TranscriptReader } from '../../state/transcript.ts';
import { bytes, moment, number } from '../base/format.ts';
import { Prose } from '../base/rich-text.tsx';
import { Block, Line } from '../base/safe-text.tsx';

/** Pixels from the end within which the view follows. */
const NEAR_END = 60;

export function TranscriptView({ url }: { readonly url: string }) {
  const reader = useMemo(() => new TranscriptReader(url), [url]);
  const isFollowing = useSignal(true);
  const element = useRef<HTMLElement>(null);
  /** Distance from the end, to stay at the same place when earlier parts come. */
  const fromEnd = useRef<number | null>(null);
  useEffect(() => {
    void reader.run();
    return () => reader.stop();
  }, [reader]);
  const blocks = reader.blocks.value;
  useLayoutEffect(() => {
    const view = element.current;
    if (!view) return;
    if (fromEnd.current !== null) view.scrollTop = view.scrollHeight - fromEnd.current;
    else if (isFollowing.value) view.scrollTop = view.scrollHeight;
    fromEnd.current = null;
  }, [blocks]);
  const readEarlier = async (): Promise<void> => {
    isFollowing.value = false;
    const view = element.current;
    if (view) fromEnd.current = view.scrollHeight - view.scrollTop;
    await reader.readEarlier();
  };
  return (
    <div class="transcript">
      <section
        ref={element}
        class="transcript-text"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
        tabIndex={0}
        aria-label="Transcript"
        onScroll={({ currentTarget: view }) => {
          if (fromEnd.current === null)
            isFollowing.value = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END;
        }}
      >
        {reader.hasEarlier.value && (
          <button type="button" class="quiet" onClick={() => void readEarlier()}>
            Show what was before
          </button>
        )}
        {blocks.map((block) => (
          <Item key={block.id} block={block} />
        ))}
      </section>
      <p class="dim transcript-foot">
        <span role="status">
          {reader.trouble.value ?? STATE_TEXT[reader.state.value](blocks.length === 0)}
        </span>
        {reader.usage.value !== null && <span>{transcriptUsageText(reader.usage.value)}</span>}
        {!isFollowing.value && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              isFollowing.value = true;
              if (element.current) element.current.scrollTop = element.current.scrollHeight;
            }}
          >
            To the end
          </button>
        )}
      </p>
    </div>
  );
}

const STATE_TEXT = {
  reading: () => 'Loading…',
  open: (isEmpty: boolean) => (isEmpty ? 'Nothing yet.' : 'Live.'),
  complete: (isEmpty: boolean) => (isEmpty ? 'It has said nothing.' : 'End of the transcript.'),
} as const;

/** A block that has not changed is not drawn again. */
function Item({ block }: { readonly block: TranscriptBlock }) {
  return useMemo(
    () => (
      <article
        class="transcript-item"
        data-kind={block.kind}
        data-nested={block.parent !== undefined}
        title={block.time === undefined ? undefined : moment(block.time)}
      >
        <Content block={block} />
        {block.cut !== undefined && <p class="dim">{number(block.cut)} more characters are in the log.</p>}
      </article>
    ),
    [block],
  );
}

function Content({ block }: { readonly block: TranscriptBlock }) {
  switch (block.kind) {
    case 'message':
      return (
        <>
          {block.role === 'user' && <p class="dim">To the agent</p>}
          <Prose text={block.text} />
        </>
      );
    case 'thought':
      return (
        <details>
          <summary class="dim">
            <Line text={firstWords(block.text)} />
          </summary>
          <Prose text={block.text} />
        </details>
      );
    case 'tool_call':
      return <Call call={block} />;
    case 'plan':
      return (
        <ul class="plain" aria-label="Plan">
          {block.steps.map(({ text, state }, index) => (
            <li key={index} data-state={state}>
              <span class="mono">{STEP_MARKS[state]}</span> <Line text={text} />
            </li>
          ))}
        </ul>
      );
    case 'permission':
      return (
        <>
          <p>
            <span class="badge" data-tone="ask">
              asks
            </span>{' '}
            <Line text={callText({ tool: block.tool, title: block.title, call: 'something' })} />
          </p>
          {block.input !== undefined && <Block text={block.input} label="What it asks for" />}
        </>
      );
    case 'session':
      return (
        <p class="dim">
          Session <Line text={block.session ?? 'without a name'} />
          {block.model !== undefined && (
            <>
              , model <Line text={block.model} isPart />
            </>
          )}
        </p>
      );
    case 'turn':
      return (
        <p class="dim">
          <span class="badge" data-tone={block.ok ? 'good' : 'bad'}>
            {block.ok ? 'turn ended' : 'turn failed'}
          </span>{' '}
          <Line text={block.reason ?? ''} />
        </p>
      );
    case 'error':
      return <Block text={block.text} label="Error" />;
    case 'raw':
      return <Block text={block.text} label="Output" />;
    case 'gap':
      return <p class="dim">{bytes(block.bytes)} of the output are not kept.</p>;
  }
}

const TONES = { pending: 'calm', running: 'active', completed: 'good', failed: 'bad' } as const;

function Call({ call }: { readonly call: CallEntry }) {
  const state = call.state ?? 'pending';
  const isBare = call.input === undefined && call.diff === undefined && call.output === undefined;
  const title = (
    <>
      <span class="badge" data-tone={TONES[state]} data-state={state}>
        {callStateText(call.state)}
      </span>{' '}
      <span class="mono">
        <Line text={callText(call)} />
      </span>
    </>
  );
  if (isBare) return <p>{title}</p>;
  return (
    <details>
      <summary>{title}</summary>
      {call.paths !== undefined && (
        <p class="dim">
          <Line text={call.paths.join(', ')} />
        </p>
      )}
      {call.input !== undefined && <Block text={call.input} label="Input" />}
      {call.diff !== undefined && <Prose text={call.diff} isDiff />}
      {call.output !== undefined && <Block text={call.output} label="Output" />}
    </details>
  );
}

const MAX_WORDS = 120;

function firstWords(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}
