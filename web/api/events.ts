/**
 * Server-sent events over `fetch`, which can send a token. Reconnects after the last event received, so that no event is
 * missed or delivered twice.
 */
import { createParser } from 'eventsource-parser';
import { request } from './http.ts';

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: 'live' | 'lost') => void;
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;
/** Three heartbeats of the server: a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;

/** Follows a stream until the signal is aborted. */
export async function follow(path: string, options: FollowOptions): Promise<void> {
  const { signal, onState } = options;
  let last = '';
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const received = await readOnce(path, last, options, (id) => {
      last = id;
    });
    if (signal.aborted) return;
    onState('lost');
    pause = received ? FIRST_PAUSE_MS : Math.min(pause * 2, MAX_PAUSE_MS);
    await waited(pause * (0.75 + Math.random() / 2), signal);
  }
}

/** @returns whether anything was received */
async function readOnce(
  path: string,
  last: string,
  { signal, onEvent, onState }: FollowOptions,
  onId: (id: string) => void,
): Promise<boolean> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let received = false;
  const parser = createParser({
    onEvent: ({ id = '', event = 'message', data }) => {
      onId(id);
      onEvent({ id, event, data });
    },
  });
  try {
    const headers = new Headers(last === '' ? [] : [['last-event-id', last]]);
    const response = await request(path, { headers, signal: AbortSignal.any([signal, silence.signal]) });
    if (!response.ok || !response.body) return false;
    onState('live');
    const decoder = new TextDecoder();
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return received;
      received = true;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } catch {
    return received;
  } finally {
    clearTimeout(timer);
  }
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    addEventListener('online', done, { once: true });
  });
}
