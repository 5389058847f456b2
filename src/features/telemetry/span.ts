/** A span as it follows from the log; otlp-json.ts writes it down for a collector. */
import type { TraceContext } from '../../contracts/trace-context.ts';

/** What is undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

export interface SpanEvent {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly attributes: Attributes;
}

export interface SpanLink {
  readonly to: TraceContext;
  readonly attributes: Attributes;
}

export interface Span {
  /** Its own place in the trace. */
  readonly context: TraceContext;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'internal' | 'client';
  /** Epoch milliseconds, both. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly droppedEvents: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinks: number;
  /** Whether it came to a bad end. */
  readonly hasFailed: boolean;
}

/** What a span holds of each, as the SDKs of OpenTelemetry have it. */
export const MAX_EVENTS = 128;
export const MAX_LINKS = 128;
