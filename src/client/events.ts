/**
 * Following the events: a stream that comes back by itself.
 *
 * E1 Each event once and in order, over every interruption: the place in the log of the last one is what is asked from.
 */
import { createParser } from 'eventsource-parser';
import type { z } from 'zod';
import type { eventAnswerSchema } from '../contracts/api/answers.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { projectId } from '../contracts/ids.ts';
import { type Caller, textOf } from './caller.ts';
import { waitBefore } from './retry.ts';

export type EventAnswer = z.output<typeof eventAnswerSchema>;

export interface EventQuery {
  /** All projects where it is absent. */
  readonly project?: string;
  readonly task?: string;
  /** Types; `task.*` for all that begin so. */
  readonly types?: readonly string[];
  /** Begin after this place in the log, 0 for all of it; with what comes next where it is absent. */
  readonly after?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Told each time that the stream broke off; it is tried again. */
  readonly onAway?: (error: SignalboxError) => void;
}

interface Message {
  readonly id: number;
  readonly event: EventAnswer;
}

/** @throws SignalboxError what Signalbox refuses for good, and `unreachable` where it stays away */
export async function* followEvents(caller: Caller, query: EventQuery): AsyncGenerator<EventAnswer> {
  const { project, task, types, after, signal = new AbortController().signal, onAway = () => {} } = query;
  const base = project === undefined ? '/api/events' : `/api/projects/${projectId(project)}/events`;
  const path = base + textOf({ task, type: types, after });
  const cursor = { lastId: undefined as string | undefined };
  for (let failures = 0; !signal.aborted; ) {
    const opened = await caller.open(path, { 'last-event-id': cursor.lastId }, signal);
    if (opened.ok) {
      for await (const { event } of messagesIn(opened.body, cursor)) {
        failures = 0;
        yield event;
      }
      if (signal.aborted) return;
    }
    const error = opened.ok
      ? new SignalboxError('unreachable', 'the stream of events broke off')
      : opened.error;
    if (signal.aborted) return;
    failures++;
    const wait =
      opened.ok || opened.isPassing ? waitBefore(failures, retryAfter(opened), caller.retry) : null;
    if (wait === null) throw error;
    onAway(error);
    await caller.retry.sleep(wait);
  }
}

function retryAfter(opened: Awaited<ReturnType<Caller['open']>>): number {
  return opened.ok ? 0 : opened.retryAfterMs;
}

/** What a stream brings until it ends or breaks off. */
async function* messagesIn(
  body: AsyncIterable<Uint8Array>,
  cursor: { lastId: string | undefined },
): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let messages: Message[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => messages.push({ id: Number(id), event: JSON.parse(data) as EventAnswer }),
  });
  try {
    for await (const chunk of body) {
      const text = decoder.decode(chunk, { stream: true });
      parser.feed(text);
      const ready = messages;
      messages = [];
      for (const message of ready) {
        cursor.lastId = String(message.id);
        yield message;
      }
    }
  } catch {
    // Broken off in the middle: what came before is complete.
  }
}
