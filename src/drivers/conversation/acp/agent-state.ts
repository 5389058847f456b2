/**
 * What an agent has said so far, as it follows from its output alone: so the speaker of a running agent and the reader of one
 * that has ended come to the same state, also after a restart.
 */
import type { FoundUsage } from '../../declared/finders.ts';
import { MAX_RESULT_LENGTH } from '../../declared/finders.ts';
import {
  type AcpError,
  chunkOf,
  costSchema,
  type Initialized,
  initializedSchema,
  type Prompted,
  promptedSchema,
  responseSchema,
  type Session,
  sessionSchema,
  updateSchema,
} from './messages.ts';

/** Requests of Signalbox. Their ids are the keys under which they are sent, so that each is sent once. */
export const IDS = {
  initialize: 'initialize',
  /** Continues the session of an earlier attempt. */
  resume: 'resume',
  session: 'session',
  mode: 'mode',
  model: 'model',
  prompt: 'prompt',
} as const;
const MESSAGE_ID = /^message:[\w-]{1,100}$/;

/** A further turn, for a message of a user. */
export function messageId(uuid: string): string {
  return `message:${uuid}`;
}

export function isTurn(id: string): boolean {
  return id === IDS.prompt || MESSAGE_ID.test(id);
}

const NO_STOP_REASON: AcpError = { code: 0, message: 'its answer to the prompt has no stopReason' };
/** Turns whose end is remembered. */
const MAX_TURNS = 10_000;

export interface Answer {
  readonly result?: unknown;
  readonly error?: AcpError | undefined;
}

/** Gemini CLI names its tokens there. */
function usageInMeta(prompted: Prompted | undefined): Prompted['usage'] {
  const count = prompted?._meta?.quota.token_count;
  return count && { inputTokens: count.input_tokens, outputTokens: count.output_tokens };
}

export class AgentState {
  readonly #known: string | undefined;
  initialized: Initialized | undefined;
  /** The session, once there is one. */
  session: Session | undefined;
  sessionId: string | undefined;
  /** It has worked in a session that it has opened, so it has a prompt. Of one that was loaded it repeats earlier work. */
  isAtWork = false;
  /** Answers to requests other than turns. */
  readonly answers = new Map<string, Answer>();
  readonly #turns = new Set<string>();
  /** How the newest turn ended. */
  last: Prompted | { readonly error: AcpError } | undefined;
  #text: string | undefined;
  /** A message that is whole: the answer of its turn if no other one follows. */
  #whole: string | undefined;
  #message = '';
  #messageId: string | undefined;
  #usage: { input?: number; output?: number; read?: number; written?: number } = {};
  #cost: number | undefined;

  /** @param known the session that is to be continued */
  constructor(known: string | undefined) {
    this.#known = known;
  }

  receive(event: object): void {
    if ('method' in event) return event.method === 'session/update' ? this.#receiveUpdate(event) : undefined;
    const answer = responseSchema.safeParse(event).data;
    if (answer) this.#receiveAnswer(answer.id, answer);
  }

  /** Whether this turn has ended. */
  hasEnded(turn: string): boolean {
    return this.#turns.has(turn);
  }

  /** The last message of the newest turn that has ended and had one. */
  get text(): string | undefined {
    return this.#text?.slice(-MAX_RESULT_LENGTH);
  }

  get usage(): FoundUsage {
    const { input, output, read, written } = this.#usage;
    return {
      ...(input !== undefined && { input_tokens: { value: input, isCumulative: false } }),
      ...(output !== undefined && { output_tokens: { value: output, isCumulative: false } }),
      ...(read !== undefined && { cache_read_tokens: { value: read, isCumulative: false } }),
      ...(written !== undefined && { cache_write_tokens: { value: written, isCumulative: false } }),
      ...(this.#cost !== undefined && {
        cost_usd: { value: this.#cost, isCumulative: this.sessionId === this.#known },
      }),
    };
  }

  #receiveAnswer(id: string, answer: Answer): void {
    if (isTurn(id)) return this.#endTurn(id, answer);
    const isKnown = Object.values<string>(IDS).includes(id);
    if (!isKnown || this.answers.has(id)) return;
    this.answers.set(id, answer);
    if (answer.error) return;
    if (id === IDS.initialize) this.initialized = initializedSchema.safeParse(answer.result).data;
    if (this.session) return;
    if (id === IDS.session) this.#open(answer.result, undefined);
    if (id === IDS.resume && this.#known !== undefined) this.#open(answer.result, this.#known);
  }

  #open(given: unknown, known: string | undefined): void {
    // A session that was loaded may be answered with nothing.
    const session = sessionSchema.safeParse(given ?? {}).data ?? {};
    this.session = session;
    this.sessionId = session.sessionId ?? known;
    this.#endMessage();
    this.#whole = undefined; // what was said in an earlier attempt
    this.isAtWork = false;
  }

  #receiveUpdate(event: object): void {
    const { sessionId, update } = updateSchema.safeParse(event).data?.params ?? {};
    if (update === undefined) return;
    // Its answer may have been in a part of the output that is not kept.
    this.sessionId ??= sessionId;
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#add(update);
      case 'tool_call':
        this.#noteWork();
        return this.#endMessage();
      case 'agent_thought_chunk':
      case 'plan':
        this.#noteWork();
        return;
      case 'usage_update':
        this.#cost = costSchema.safeParse(update).data?.cost.amount ?? this.#cost;
        return;
      default:
        return;
    }
  }

  #noteWork(): void {
    this.isAtWork ||= this.answers.has(IDS.session);
  }

  #add(update: object): void {
    const chunk = chunkOf(update);
    if (!chunk) return;
    this.#noteWork();
    if (chunk.message !== this.#messageId) this.#endMessage();
    this.#messageId = chunk.message;
    this.#message += chunk.text;
    if (this.#message.length > 2 * MAX_RESULT_LENGTH) this.#message = this.#message.slice(-MAX_RESULT_LENGTH);
  }

  /** What comes next belongs to another message. */
  #endMessage(): void {
    if (this.#message.trim() !== '') this.#whole = this.#message;
    this.#message = '';
    this.#messageId = undefined;
  }

  #endTurn(id: string, answer: Answer): void {
    if (this.#turns.has(id) || this.#turns.size >= MAX_TURNS) return;
    this.#turns.add(id);
    this.#endMessage();
    this.#text = this.#whole ?? this.#text;
    this.#whole = undefined;
    if (answer.error) {
      this.last = { error: answer.error };
      return;
    }
    const prompted = promptedSchema.safeParse(answer.result).data;
    this.last = prompted ?? { error: NO_STOP_REASON };
    this.#count(prompted?.usage ?? usageInMeta(prompted));
  }

  /** Whether the cache is part of the input differs between agents, and the total tells. */
  #count(usage: Prompted['usage']): void {
    if (!usage) return;
    const {
      inputTokens,
      outputTokens = 0,
      totalTokens = 0,
      cachedReadTokens = 0,
      cachedWriteTokens = 0,
    } = usage;
    if (inputTokens !== undefined) {
      const cached = cachedReadTokens + cachedWriteTokens;
      const isBeside = totalTokens >= inputTokens + outputTokens + cached;
      this.#usage.input = (this.#usage.input ?? 0) + inputTokens + (isBeside ? cached : 0);
    }
    if (usage.outputTokens !== undefined) this.#usage.output = (this.#usage.output ?? 0) + outputTokens;
    if (usage.cachedReadTokens !== undefined) this.#usage.read = (this.#usage.read ?? 0) + cachedReadTokens;
    if (usage.cachedWriteTokens !== undefined)
      this.#usage.written = (this.#usage.written ?? 0) + cachedWriteTokens;
  }
}
