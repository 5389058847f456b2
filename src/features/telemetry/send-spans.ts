/** One try to hand spans to a collector, over OTLP/HTTP. */
import { z } from 'zod';
import { messageOf } from '../../contracts/errors.ts';

export interface Collector {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds that it may take to answer. */
  readonly timeoutMs: number;
}

export type Sent =
  /** `complaint` is what it says of spans that it did not take. */
  | { readonly kind: 'taken'; readonly complaint: string | null }
  /** It will not take these spans, however often they are sent. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The same again may be taken later; `afterMs` is what it has asked for. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly afterMs: number | null };

/** Those for which the protocol lets the same be sent again. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Characters of an answer that are read, to tell what is wrong. */
const REASON_LENGTH = 300;

const partialSuccessSchema = z.object({
  partialSuccess: z.object({
    rejectedSpans: z.coerce.number().default(0),
    errorMessage: z.string().default(''),
  }),
});

/** Never rejects. @param request the text of an ExportTraceServiceRequest */
export async function sendSpans(
  { url, headers, timeoutMs }: Collector,
  request: string,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: request,
      // Its headers may hold a key, which is for nobody else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    const { status } = response;
    if (response.ok) return { kind: 'taken', complaint: complaintIn(text) };
    const reason = `it answered ${status} ${text.trim().slice(0, REASON_LENGTH)}`.trim();
    if (!PASSING_STATUSES.has(status)) return { kind: 'refused', reason };
    return { kind: 'unavailable', reason, afterMs: retryAfter(response.headers.get('retry-after')) };
  } catch (error) {
    return { kind: 'unavailable', reason: reasonOf(error, timeoutMs), afterMs: null };
  }
}

function complaintIn(text: string): string | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Some answer with nothing, or in another form: they have taken the spans.
    return null;
  }
  const parsed = partialSuccessSchema.safeParse(json);
  if (!parsed.success) return null;
  const { rejectedSpans, errorMessage } = parsed.data.partialSuccess;
  if (rejectedSpans === 0 && errorMessage === '') return null;
  return `${rejectedSpans} spans rejected: ${errorMessage.slice(0, REASON_LENGTH)}`;
}

/** Seconds; the other form, a date, is of no use where the clocks differ. */
function retryAfter(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text.trim()) ? Number(text) * 1_000 : null;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `it did not answer within ${timeoutMs / 1_000} seconds`;
  }
  // `fetch` says only that it failed; the reason is the cause of its error.
  const cause = error instanceof Error ? error.cause : undefined;
  return `it cannot be reached: ${messageOf(cause ?? error)}`;
}
