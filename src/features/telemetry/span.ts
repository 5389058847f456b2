/** A span, and its form in OTLP JSON: ids in hexadecimal, 64-bit numbers as text, enumerations as numbers. */
import type { TraceContext } from '../../base/trace-context.ts';
import { VERSION } from '../../version.ts';

/** Attributes with the value undefined are left out. */
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
  /** Whether the status of the span is an error. */
  readonly hasFailed: boolean;
}

/** Limits of a span, as in the SDKs of OpenTelemetry. */
export const MAX_EVENTS = 128;
export const MAX_LINKS = 128;

/** The events of a span; those above the limit are only counted. */
export class SpanEvents {
  readonly events: SpanEvent[] = [];
  droppedEvents = 0;

  add(name: string, time: number, attributes: Attributes = {}): void {
    if (this.events.length === MAX_EVENTS) this.droppedEvents++;
    else this.events.push({ name, time, attributes });
  }
}

const KINDS = { internal: 1, client: 3 } as const;
const STATUS_ERROR = 2;

/** The text of an ExportTraceServiceRequest. */
export function exportRequest(resource: Attributes, spans: readonly Span[]): string {
  const scopeSpans = [{ scope: { name: 'signalbox', version: VERSION }, spans: spans.map(spanOf) }];
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }],
  });
}

function spanOf(span: Span): object {
  const { context, parentSpanId, name, kind, start, end, attributes, events, links } = span;
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    traceState: context.state,
    parentSpanId: parentSpanId ?? undefined,
    flags: context.flags,
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(start),
    // The clock of the machine may have been set back.
    endTimeUnixNano: nanoseconds(Math.max(start, end)),
    attributes: attributesOf(attributes),
    events: events.map((event) => ({
      timeUnixNano: nanoseconds(event.time),
      name: event.name,
      attributes: attributesOf(event.attributes),
    })),
    droppedEventsCount: span.droppedEvents,
    links: links.map(({ to: { traceId, spanId, state, flags }, attributes: ofLink }) => ({
      traceId,
      spanId,
      traceState: state,
      flags,
      attributes: attributesOf(ofLink),
    })),
    droppedLinksCount: span.droppedLinks,
    status: span.hasFailed ? { code: STATUS_ERROR } : {},
  };
}

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : { key, value: anyValue(value) },
  );
}

function anyValue(value: string | number): object {
  if (typeof value === 'string') return { stringValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** As text: a number cannot hold them exactly. @param milliseconds whole */
function nanoseconds(milliseconds: number): string {
  return `${milliseconds}000000`;
}
