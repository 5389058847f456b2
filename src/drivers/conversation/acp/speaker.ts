/**
 * Signalbox as a client of the Agent Client Protocol, wire version 1: initialize, a session, one prompt, and further prompts
 * for messages of users, one at a time, because some agents drop a turn when another one begins. An agent does not end by
 * itself: when its turns have ended, the process is.
 *
 * Signalbox offers no files and no terminals: agents use their own. Measured with opencode 1.18.33 and gemini 0.61.0: both take
 * texts as ids, and answer a cancelled turn. A line that is cut is skipped.
 */
import { type Deferred, deferred } from '../../../base/deferred.ts';
import { derivedUuid } from '../../../base/derived-uuid.ts';
import { attemptKey } from '../../../contracts/ids.ts';
import { isAllowing, PERMISSION_OPTIONS } from '../../../contracts/questions.ts';
import { VERSION } from '../../../version.ts';
import type { RunAnswer, RunMessage } from '../../driver.ts';
import type { Link, Protocol, ProtocolSettings, Speaker } from '../protocol.ts';
import { type AgentRequest, Requests } from '../requests.ts';
import { elicitation, invalidParams, permissionRequest } from './agent-requests.ts';
import { AgentState, IDS, isTurn, messageId } from './agent-state.ts';
import {
  cancelledSchema,
  failure,
  METHOD_NOT_FOUND,
  notification,
  PROTOCOL_VERSION,
  request,
  requestKey,
  requestSchema,
  toolCallSchema,
  updateSchema,
} from './messages.ts';
import { NOT_READING, Opening } from './opening.ts';
import { readAcpOutput } from './reading.ts';

export function acpProtocol(settings: ProtocolSettings): Protocol {
  return {
    opening: () => [request(IDS.initialize, 'initialize', CLIENT)],
    speaker: (link) => new AcpSpeaker(link, settings),
    read: readAcpOutput,
  };
}

const CLIENT = {
  protocolVersion: PROTOCOL_VERSION,
  clientCapabilities: { elicitation: { form: {}, url: {} } },
  clientInfo: { name: 'signalbox', title: 'Signalbox', version: VERSION },
};

/** Messages of users that wait for the end of a turn; more are refused. */
const MAX_MESSAGES = 100;
/** Requests for what Signalbox does not offer: an agent that goes on after so many does not listen. */
const MAX_UNKNOWN = 1_000;
/** Requests for tools of Signalbox itself: no agent that works asks as often. */
const MAX_OWN = 20_000;

interface WaitingMessage {
  readonly id: string;
  readonly text: string;
  readonly taken: Deferred<boolean>;
}

class AcpSpeaker implements Speaker {
  readonly #link: Link;
  readonly #state: AgentState;
  readonly #requests: Requests;
  readonly #opening: Opening;
  readonly #messages: WaitingMessage[] = [];
  readonly #left = deferred();
  /** The newest turn that was begun; null until it is known which one that is. */
  #turn: string | undefined | null = null;
  #unknown = 0;
  #own = 0;
  #isStepping = false;
  #isCancelled = false;
  #isOver = false;

  constructor(link: Link, settings: ProtocolSettings) {
    this.#link = link;
    this.#state = new AgentState(link.request.resumes?.session);
    this.#requests = new Requests(link);
    const fail = (reason: string): void => this.#fail(reason);
    this.#opening = new Opening({ link, settings, state: this.#state, requests: this.#requests, fail });
  }

  receive(event: object): void {
    if (this.#isOver) return;
    if ('method' in event && 'id' in event) return this.#receiveRequest(event);
    this.#state.receive(event);
    if ('method' in event) return this.#receiveNotification(event);
    if ('id' in event && typeof event.id === 'string' && isTurn(event.id)) {
      this.#requests.allOver();
    }
  }

  caughtUp(): void {
    if (this.#isOver || this.#isStepping) return;
    this.#isStepping = true;
    void this.#step().finally(() => {
      this.#isStepping = false;
    });
  }

  answer(answer: RunAnswer): void {
    this.#requests.answer(answer);
  }

  async steer({ id, text }: RunMessage): Promise<boolean> {
    const key = messageId(derivedUuid(`${attemptKey(this.#link.request)}:${id}`));
    if (await this.#link.wasSent(key)) return true;
    const waiting = this.#messages.find((each) => each.id === key);
    if (waiting) return waiting.taken.promise;
    if (this.#isOver || this.#isCancelled || this.#messages.length >= MAX_MESSAGES) return false;
    const taken = deferred<boolean>();
    this.#messages.push({ id: key, text, taken });
    return taken.promise;
  }

  async cancel(): Promise<void> {
    const { sessionId } = this.#state;
    if (this.#isOver || !this.#turn || this.#state.hasEnded(this.#turn) || sessionId === undefined) return;
    if (this.#isCancelled) return this.#left.promise;
    this.#isCancelled = true;
    void this.#link.send('cancel', notification('session/cancel', { sessionId }));
    this.#requests.cancelAll();
    return this.#left.promise;
  }

  close(): void {
    this.#isOver = true;
    this.#left.resolve();
    for (const { taken } of this.#messages.splice(0)) taken.resolve(false);
  }

  #receiveRequest(event: object): void {
    const { id, method, params } = requestSchema.safeParse(event).data ?? {};
    if (id === undefined || method === undefined) return;
    const key = requestKey(id);
    switch (method) {
      case 'session/request_permission': {
        const asked = permissionRequest(id, params);
        if (asked?.isOwnTool && !this.#isCancelled) return this.#allowAtOnce(key, asked);
        return this.#found(key, asked, () => invalidParams(id, method));
      }
      case 'elicitation/create': {
        const asked = elicitation(id, params);
        if (typeof asked === 'string') return this.#refuse(key, invalidParams(id, method, asked));
        return this.#found(key, asked, () => invalidParams(id, method));
      }
      default:
        return this.#refuse(
          key,
          failure(id, METHOD_NOT_FOUND, `Signalbox does not offer ${method.slice(0, 200)}`),
        );
    }
  }

  #found(key: string, asked: AgentRequest | undefined, invalid: () => object): void {
    if (!asked) return this.#refuse(key, invalid());
    this.#requests.found(key, asked);
    if (this.#isCancelled) this.#requests.cancelAll();
  }

  #refuse(key: string, reply: object): void {
    this.#unknown++;
    if (this.#unknown > MAX_UNKNOWN) {
      return this.#fail(
        `it has sent more than ${MAX_UNKNOWN} requests that Signalbox does not offer or cannot read`,
      );
    }
    void this.#link.send(`other:${derivedUuid(key)}`, reply);
  }

  #allowAtOnce(key: string, asked: AgentRequest): void {
    this.#own++;
    if (this.#own > MAX_OWN)
      return this.#fail(`it has used the tools of Signalbox more than ${MAX_OWN} times`);
    const chosen = PERMISSION_OPTIONS.find(isAllowing);
    const allowed = asked.reply({ question: key, action: 'accepted', chosen, by: 'supervisor' });
    void this.#link.send(`own:${derivedUuid(key)}`, allowed);
  }

  #receiveNotification(event: object): void {
    // A schema that does not match costs as much as reading the whole line.
    const isCancelled = 'method' in event && event.method === '$/cancel_request';
    const cancelled = isCancelled ? cancelledSchema.safeParse(event).data : undefined;
    if (cancelled) return this.#requests.over(requestKey(cancelled.params.requestId));
    if (!this.#requests.areOpen) return;
    // A call that has ended waits for nothing.
    const update = updateSchema.safeParse(event).data?.params.update;
    const { toolCallId = '', status } = toolCallSchema.safeParse(update).data ?? {};
    if (status === 'completed' || status === 'failed') this.#requests.overByAlias(toolCallId);
  }

  /** Does what is next. Called again and again, and at most once at a time. */
  async #step(): Promise<void> {
    // Turns begin one after the other, so the newest is the only one that may not have ended.
    if (this.#turn === null) this.#turn = (await this.#link.sentKeys()).findLast(isTurn);
    if (this.#isOver) return;
    // Between two turns nothing is asked for.
    if (this.#turn === undefined || !this.#state.hasEnded(this.#turn)) this.#requests.caughtUp();
    if (this.#turn === undefined) return this.#open();
    if (!this.#state.hasEnded(this.#turn)) return;
    if (this.#isCancelled) return this.#left.resolve();
    const next = this.#messages.shift();
    if (!next) return this.#end();
    const isTaken = await this.#begin(next.id, next.text);
    next.taken.resolve(isTaken);
  }

  /** Until the first turn begins. */
  async #open(): Promise<void> {
    if (!(await this.#opening.step())) return;
    // The prompt may have arrived, and its record not: an earlier Signalbox was killed in between.
    if (this.#state.isAtWork || this.#state.hasEnded(IDS.prompt)) this.#turn = IDS.prompt;
    else if (!(await this.#begin(IDS.prompt, this.#link.request.prompt()))) this.#fail(NOT_READING);
  }

  /** @returns whether the agent has the prompt */
  async #begin(turn: string, text: string): Promise<boolean> {
    const { sessionId } = this.#state;
    const prompt = { sessionId, prompt: [{ type: 'text', text }] };
    const sending = await this.#link.send(turn, request(turn, 'session/prompt', prompt));
    if (sending === 'refused') return false;
    this.#turn = turn;
    return true;
  }

  #end(): void {
    this.#isOver = true;
    this.#link.resulted();
    this.#link.over();
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.failed(reason);
  }
}
