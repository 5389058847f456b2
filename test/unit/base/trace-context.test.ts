import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatTraceparent,
  incomingTrace,
  isSampled,
  parseTraceparent,
} from '../../../src/base/trace-context.ts';
import { traceparentSchema } from '../../../src/contracts/tasks.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = `00-${TRACE}-${SPAN}-01`;

describe('a traceparent', () => {
  it.each([
    ['sampled', GOOD, GOOD],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    ['with a random trace id', `00-${TRACE}-${SPAN}-03`, `00-${TRACE}-${SPAN}-03`],
    ['with flags that mean nothing yet', `00-${TRACE}-${SPAN}-fd`, GOOD],
    ['of a newer version', `01-${TRACE}-${SPAN}-01`, GOOD],
    ['of a newer version with more fields', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, GOOD],
    ['with spaces around it', ` ${GOOD}\t`, GOOD],
  ])('%s is understood, and handed on in the form of version 00', (_, text, handedOn) => {
    expect(incomingTrace(text, undefined)).toEqual({ traceparent: handedOn });
  });

  it.each([
    ['nothing', undefined],
    ['empty', ''],
    ['upper case', GOOD.toUpperCase()],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the reserved version ff', `ff-${TRACE}-${SPAN}-01`],
    ['more fields in version 00', `${GOOD}-more`],
    ['more digits after a newer version', `01-${TRACE}-${SPAN}-01more`],
    ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['two of them', `${GOOD}, ${GOOD}`],
    ['not a string', 7],
  ])('ignores a traceparent that is not valid: %s', (_, text) => {
    expect(incomingTrace(text, 'a=b')).toEqual({});
  });

  it('never throws, and accepts only what the schema of the log accepts', () => {
    const pieces = fc.constantFrom('0', 'f', '-', '00', TRACE, SPAN, '01', 'g', ' ', ',');
    const nearly = fc.array(pieces, { maxLength: 12 }).map((each) => each.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly), fc.string(), (text, state) => {
        const { traceparent } = incomingTrace(text, state);
        if (traceparent === undefined) return;
        expect(traceparentSchema.safeParse(traceparent).success).toBe(true);
        const context = parseTraceparent(traceparent);
        expect(context && formatTraceparent(context)).toBe(traceparent);
      }),
    );
  });

  it('reads the sampled flag', () => {
    const flags = (text: string): boolean | null => {
      const context = parseTraceparent(`00-${TRACE}-${SPAN}-${text}`);
      return context && isSampled(context);
    };
    expect(['00', '01', '02', '03'].map(flags)).toEqual([false, true, false, true]);
  });
});

describe('a tracestate', () => {
  const stateOf = (state: unknown): string | undefined => incomingTrace(GOOD, state).tracestate;

  it.each([
    ['rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    [' rojo=1 ,\tcongo=t61 ,,', 'rojo=1,congo=t61'],
    ['fw529a3039@dt=FfAs6g;a b', 'fw529a3039@dt=FfAs6g;a b'],
  ])('passes %j on as %j', (state, handedOn) => {
    expect(stateOf(state)).toBe(handedOn);
  });

  it.each([
    ['empty', ''],
    ['no value', 'rojo'],
    ['a key in upper case', 'Rojo=1'],
    ['one that is not well formed among others', 'a=1,b'],
    ['more than 32 members', Array.from({ length: 33 }, (_, index) => `k${index}=v`).join()],
    ['more than 512 characters', `a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=${'x'.repeat(20)}`],
    ['a line feed', 'a=b\nc'],
    ['not a string', {}],
  ])('ignores a tracestate that is not valid, and keeps the traceparent: %s', (_, state) => {
    expect(incomingTrace(GOOD, state)).toEqual({ traceparent: GOOD });
  });
});
