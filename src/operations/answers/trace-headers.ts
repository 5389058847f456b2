/** Where in a trace a request stands: the headers of W3C Trace Context. */
import type { IncomingHttpHeaders } from 'node:http';
import { type IncomingTrace, incomingTrace } from '../../contracts/trace-context.ts';

/** For operations that create something: what it does belongs to the caller's trace. */
export const TRACE_HEADERS = {
  traceparent:
    'W3C Trace Context: the attempts belong to this trace. One that is not well formed is ignored.',
  tracestate: 'What comes with it. It is handed on.',
} as const;

export function traceIn({ traceparent, tracestate }: IncomingHttpHeaders): IncomingTrace {
  return incomingTrace(traceparent, tracestate);
}
