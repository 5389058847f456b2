/**
 * Follows events over HTTP. Reconnects after interruptions; each event is yielded once and in order, because
 * the stream continues after the last event.
 */
import { createParser } from 'eventsource-parser';
import type { z } from 'zod';
import type { eventAnswerSchema } from '../contracts/api/answers.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { Requests } from './requests.ts';
import { waitBefore } from './retry.ts';
import type { Opened } from './transport.ts';

export type EventAnswer = z.output<typeof eventAnswerSchema>;

export interface EventQuery {
  /** All projects if absent. */
  readonly project?: string;
  readonly task?: string;
  /** Types of events; `task.*` for all types with that prefix. */
  readonly types?: readonly string[];
  /** Start after this sequence, 0 for the whole log; only new events if absent. */
  readonly after?: number;
  /** Aborting it ends the loop. */
  readonly signal?: AbortSignal;
  /** Called each time the stream is interrupted, before it reconnects. */
  readonly onAway?: (error: SignalboxError) => void;
}

interface Message {
  /** The position after it; undefined if other events of the same message follow. */
  readonly id: string | undefined;
  readonly event: EventAnswer;
}

/** @throws SignalboxError errors that a retry cannot fix, and `unreachable` if Signalbox stays unreachable */
export async function* followEvents(requests: Requests, query: EventQuery): AsyncGenerator<EventAnswer> {
  const { project, task, types, after, signal = new AbortController().signal, onAway = () => {} } = query;
  const name = project === undefined ? 'followEvents' : 'followProjectEvents';
  const cursor = { lastId: undefined as string | undefined };
  for (let failures = 0; !signal.aborted; ) {
    const headers = { 'last-event-id': cursor.lastId };
    const opened = await requests.open(name, { project, task, type: types, after }, { headers, signal });
    if (opened.ok) {
      for await (const { event } of messagesIn(opened.body, cursor)) {
        failures = 0;
        yield event;
      }
      if (signal.aborted) return;
    }
    const error = opened.ok
      ? new SignalboxError('unreachable', 'the stream of events was interrupted')
      : opened.error;
    if (signal.aborted) return;
    failures++;
    const wait =
      opened.ok || opened.isPassing ? waitBefore(failures, retryAfter(opened), requests.retry) : null;
    if (wait === null) throw error;
    onAway(error);
    await requests.retry.sleep(wait);
  }
}

function retryAfter(opened: Opened): number {
  return opened.ok ? 0 : opened.retryAfterMs;
}

/** The messages of one stream, until it ends or is interrupted. */
async function* messagesIn(
  body: AsyncIterable<Uint8Array>,
  cursor: { lastId: string | undefined },
): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let messages: Message[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => messages.push({ id, event: JSON.parse(data) as EventAnswer }),
  });
  try {
    for await (const chunk of body) {
      const text = decoder.decode(chunk, { stream: true });
      parser.feed(text);
      // Events that were stored together come together: after an interruption all of them come again.
      const whole = messages.findLastIndex(({ id }) => id !== undefined) + 1;
      const ready = messages.slice(0, whole);
      messages = messages.slice(whole);
      for (const message of ready) {
        if (message.id !== undefined) cursor.lastId = message.id;
        yield message;
      }
    }
  } catch {
    // Interrupted within a message: those before it are complete.
  }
}
