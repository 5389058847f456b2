/**
 * The protocol of Claude Code with `--input-format stream-json --permission-prompt-tool stdio --replay-user-messages`.
 *
 * Measured with 2.1.332: before a tool that is not allowed it prints a `control_request` of subtype `can_use_tool` and
 * waits for the `control_response`. It repeats each message that it takes: a `user` line with `isReplay`, and the
 * `control_response`. Another `user` line while it works reaches the model after the tool that runs; after its turn it
 * begins another one. It ignores a `uuid` and an answer that it knows already. A line that is no JSON makes it exit with
 * 1. Each turn ends with a `result`; the request `end_session` ends it with exit code 0.
 */
import { z } from 'zod';
import { type Deferred, deferred } from '../../base/deferred.ts';
import { derivedUuid } from '../../base/derived-uuid.ts';
import { attemptKey } from '../../contracts/ids.ts';
import type { RunAnswer, RunMessage } from '../driver.ts';
import { canUseToolSchema, permissionRequest, requestIdSchema, userQuestions } from './claude-requests.ts';
import type { Link, Protocol, Speaker } from './protocol.ts';
import { Requests } from './requests.ts';

const otherRequestSchema = z.object({ type: z.literal('control_request'), request_id: requestIdSchema });
const cancelSchema = z.object({ type: z.literal('control_cancel_request'), request_id: requestIdSchema });
const responseSchema = z.object({
  type: z.literal('control_response'),
  response: z.object({ request_id: requestIdSchema }),
});
const replaySchema = z.object({
  type: z.literal('user'),
  isReplay: z.literal(true),
  uuid: z.string().max(100),
});
const toolResultSchema = z.object({
  type: z.literal('user'),
  message: z.object({
    content: z.array(z.object({ type: z.string(), tool_use_id: z.string().max(200).optional() })),
  }),
});

/** Messages of users that it has not taken yet; more are refused. */
const MAX_MESSAGES = 100;

export const claudeProtocol: Protocol = {
  opening: (request) => [userLine(request.prompt(), derivedUuid(`${attemptKey(request)}:prompt`))],
  speaker: (link) => new ClaudeSpeaker(link),
};

function userLine(text: string, uuid: string): object {
  return { type: 'user', message: { role: 'user', content: [{ type: 'text', text }] }, uuid };
}

class ClaudeSpeaker implements Speaker {
  readonly #link: Link;
  readonly #requests: Requests;
  /** Messages that were sent and not taken yet, by uuid. */
  readonly #messages = new Map<string, Deferred<boolean>>();
  /** Messages that it has taken. */
  readonly #taken = new Set<string>();
  #hasResult = false;
  #isOver = false;

  constructor(link: Link) {
    this.#link = link;
    this.#requests = new Requests(link);
  }

  receive(event: object): void {
    switch ('type' in event ? event.type : undefined) {
      case 'control_request':
        return this.#receiveRequest(event);
      case 'control_response':
        return this.#acknowledge(responseSchema.safeParse(event).data?.response.request_id);
      case 'control_cancel_request':
        return this.#cancel(cancelSchema.safeParse(event).data?.request_id);
      case 'user':
        return this.#receiveUser(event);
      case 'result':
        this.#hasResult = true;
        return this.#requests.allOver();
      default:
        return;
    }
  }

  caughtUp(): void {
    if (this.#isOver) return;
    if (!this.#hasResult || this.#messages.size > 0) return this.#requests.caughtUp();
    this.#isOver = true;
    this.#link.resulted();
    void this.#link.send('end', {
      type: 'control_request',
      request_id: 'signalbox-end',
      request: { subtype: 'end_session' },
    });
  }

  answer(answer: RunAnswer): void {
    this.#requests.answer(answer);
  }

  async steer({ id, text }: RunMessage): Promise<boolean> {
    const uuid = derivedUuid(`${attemptKey(this.#link.request)}:${id}`);
    if (this.#taken.has(uuid)) return true;
    const waiting = this.#messages.get(uuid);
    if (waiting) return waiting.promise;
    if (this.#isOver || this.#messages.size >= MAX_MESSAGES) return false;
    const taken = deferred<boolean>();
    this.#messages.set(uuid, taken);
    const sending = await this.#link.send(`user:${uuid}`, userLine(text, uuid));
    if (sending === 'refused') this.#settleMessage(uuid, false);
    return taken.promise;
  }

  close(): void {
    this.#isOver = true;
    for (const uuid of [...this.#messages.keys()]) this.#settleMessage(uuid, false);
  }

  #receiveRequest(event: object): void {
    const asked = canUseToolSchema.safeParse(event).data;
    if (asked) {
      return this.#requests.found(asked.request_id, userQuestions(asked) ?? permissionRequest(asked));
    }
    const other = otherRequestSchema.safeParse(event).data;
    if (!other) return;
    const error = 'Signalbox does not know this request';
    void this.#link.send(`other:${derivedUuid(other.request_id)}`, {
      type: 'control_response',
      response: { subtype: 'error', request_id: other.request_id, error },
    });
  }

  #receiveUser(event: object): void {
    const replayed = replaySchema.safeParse(event).data;
    if (replayed) return this.#take(replayed.uuid);
    for (const { type, tool_use_id } of toolResultSchema.safeParse(event).data?.message.content ?? []) {
      if (type === 'tool_result' && tool_use_id !== undefined) this.#requests.overByAlias(tool_use_id);
    }
  }

  /** A message that it takes for the first time begins or continues a turn. */
  #take(uuid: string): void {
    if (this.#taken.has(uuid)) return;
    if (this.#taken.size < MAX_MESSAGES * 10) this.#taken.add(uuid);
    this.#hasResult = false;
    this.#link.note(`user:${uuid}`);
    this.#settleMessage(uuid, true);
  }

  #settleMessage(uuid: string, isTaken: boolean): void {
    this.#messages.get(uuid)?.resolve(isTaken);
    this.#messages.delete(uuid);
  }

  #acknowledge(requestId: string | undefined): void {
    if (requestId !== undefined) this.#requests.acknowledged(requestId);
  }

  #cancel(requestId: string | undefined): void {
    if (requestId !== undefined) this.#requests.over(requestId);
  }
}
