/**
 * W3C Trace Context, level 2. A `traceparent` that is not well formed is ignored: a caller with a broken tracer still gets
 * its task done. A `tracestate` is dropped together with its `traceparent`.
 */

/** The trace of a caller, as it is stored with the task. Both values are well formed. */
export interface IncomingTrace {
  readonly traceparent?: string;
  /** Data of the tracers between the caller and Signalbox. */
  readonly tracestate?: string;
}

/** A span in a trace, and the flags and state of the trace. */
export interface TraceContext {
  /** 32 hexadecimal digits in lower case. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** Bit 0: sampled. Bit 1: the trace id is random. */
  readonly flags: number;
  readonly state: string | undefined;
}

const SAMPLED = 1;
/** The bits with a meaning; the others are sent as 0. */
const KNOWN_FLAGS = 3;

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

const MAX_STATE_LENGTH = 512;
const MAX_STATE_MEMBERS = 32;
const STATE_MEMBER =
  /^(?:[a-z][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** @returns null if it is not well formed */
export function parseTraceparent(text: string, state?: string): TraceContext | null {
  const trimmed = text.trim();
  const [, traceId, spanId, flags, more] = TRACEPARENT.exec(trimmed) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  // Only a newer version may have more fields after these four.
  if (more !== undefined && trimmed.startsWith('00')) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS, state };
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

export function isSampled({ flags }: Pick<TraceContext, 'flags'>): boolean {
  return (flags & SAMPLED) !== 0;
}

/** The flags of a trace that begins here: sampled, and its id is not random but from a hash. */
export const OWN_FLAGS = SAMPLED;

/**
 * The well-formed part of what a caller sent.
 * @param traceparent a header, or an environment variable
 */
export function incomingTrace(traceparent: unknown, tracestate: unknown): IncomingTrace {
  const context = typeof traceparent === 'string' ? parseTraceparent(traceparent) : null;
  if (!context) return {};
  const state = typeof tracestate === 'string' ? checkedState(tracestate) : null;
  const parent = formatTraceparent(context);
  return state === null ? { traceparent: parent } : { traceparent: parent, tracestate: state };
}

function checkedState(text: string): string | null {
  const members = text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const state = members.join(',');
  const isWellFormed =
    members.length > 0 &&
    members.length <= MAX_STATE_MEMBERS &&
    state.length <= MAX_STATE_LENGTH &&
    members.every((member) => STATE_MEMBER.test(member));
  return isWellFormed ? state : null;
}
