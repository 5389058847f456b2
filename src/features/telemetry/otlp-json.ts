/** Spans as OTLP has them in JSON: ids in hexadecimal, 64-bit numbers as text, enumerations as numbers. */
import { VERSION } from '../../version.ts';
import { SCOPE } from './semantics.ts';
import type { Attributes, Span, SpanEvent, SpanLink } from './span.ts';

const KINDS = { internal: 1, client: 3 } as const;
const STATUS_ERROR = 2;

/** The text of an ExportTraceServiceRequest. */
export function exportRequest(resource: Attributes, spans: readonly Span[]): string {
  const scope = { name: SCOPE, version: VERSION };
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope, spans: spans.map(spanOf) }],
      },
    ],
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
    events: events.map(eventOf),
    droppedEventsCount: span.droppedEvents,
    links: links.map(linkOf),
    droppedLinksCount: span.droppedLinks,
    status: span.hasFailed ? { code: STATUS_ERROR } : {},
  };
}

function eventOf({ name, time, attributes }: SpanEvent): object {
  return { timeUnixNano: nanoseconds(time), name, attributes: attributesOf(attributes) };
}

function linkOf({ to, attributes }: SpanLink): object {
  const { traceId, spanId, state, flags } = to;
  return { traceId, spanId, traceState: state, flags, attributes: attributesOf(attributes) };
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

/** @param milliseconds whole: their nanoseconds are beyond what a number holds exactly */
function nanoseconds(milliseconds: number): string {
  return `${milliseconds}000000`;
}
