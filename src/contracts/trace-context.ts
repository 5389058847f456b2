/**
 * W3C Trace Context, level 2: where in a trace something was asked for.
 *
 * X1 What is not well formed is as if it were not there: a caller with a broken tracer still gets its task done.
 * X2 A `tracestate` says nothing without its `traceparent`, and goes with it.
 */
import { z } from 'zod';

/** As a caller sends it, and as it stands with the task in the log. Both are well formed. */
export interface IncomingTrace {
  readonly traceparent?: string;
  /** What the tracers on the way have noted for themselves. */
  readonly tracestate?: string;
}

/** A place in a trace: a span, and what is said of the trace around it. */
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
/** The bits that have a meaning; the others are to be sent as 0. */
const KNOWN_FLAGS = 3;

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

const MAX_STATE_LENGTH = 512;
const MAX_STATE_MEMBERS = 32;
const STATE_MEMBER =
  /^(?:[a-z][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** As the log keeps it: the form that this version writes. */
export const traceparentSchema = z.string().regex(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/);

/** @returns null for what is not well formed (X1) */
export function parseTraceparent(text: string, state?: string): TraceContext | null {
  const trimmed = text.trim();
  const [, traceId, spanId, flags, more] = TRACEPARENT.exec(trimmed) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  // A newer version may have more fields after these four; this one has not.
  if (more !== undefined && trimmed.startsWith('00')) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS, state };
}

export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

export function isSampled({ flags }: Pick<TraceContext, 'flags'>): boolean {
  return (flags & SAMPLED) !== 0;
}

/** The flags of a trace that begins here: its id is the end of a hash, and nobody has said that it is not wanted. */
export const OWN_FLAGS = SAMPLED;

/**
 * What a caller has sent, as far as it is well formed.
 * @param traceparent a header, or a variable of the environment
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
