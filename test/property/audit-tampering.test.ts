/** Every byte of a bundle that is changed, removed or inserted is found. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/base/hash.ts';
import { auditOfBundle, bundleOf, signedLog } from '../support/history/signed-log.ts';

let whole: Buffer;
let ofOneTask: Buffer;
let trusted: readonly string[];

beforeAll(async () => {
  const { log, keys } = await signedLog();
  trusted = [keys[0]];
  whole = Buffer.from(await bundleOf(log.messages));
  ofOneTask = Buffer.from(await bundleOf(log.messages, { project: 'demo', task: 'thr' }));
});

/** How many findings there are; a file that is no bundle any more counts as one. */
async function findingsIn(bundle: Uint8Array): Promise<number> {
  try {
    return (await auditOfBundle(bundle, trusted)).findings.length;
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_request' });
    return 1;
  }
}

const bundles = (): readonly Buffer[] => [whole, ofOneTask];
const position = { which: fc.nat({ max: 1 }), at: fc.nat({ max: 1_000_000 }) };

describe('a bundle in which a byte', () => {
  it('is changed, is found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...position, mask: fc.integer({ min: 1, max: 255 }) }),
        async ({ which, at, mask }) => {
          const bytes = Buffer.from(bundles()[which] ?? whole);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ mask;
          expect(await findingsIn(bytes)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is missing or inserted, is found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...position, byte: fc.nat({ max: 255 }), isMissing: fc.boolean() }),
        async (step) => {
          const bytes = bundles()[step.which] ?? whole;
          const index = step.at % bytes.length;
          const rest = bytes.subarray(step.isMissing ? index + 1 : index);
          const edited = Buffer.concat([
            bytes.subarray(0, index),
            Buffer.from(step.isMissing ? [] : [step.byte]),
            rest,
          ]);
          expect(await findingsIn(edited)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is changed in an event, is found even if the hash at the end was recomputed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...position, mask: fc.integer({ min: 1, max: 255 }) }),
        async ({ which, at, mask }) => {
          const lines = String(bundles()[which]).split('\n').slice(0, -2);
          const events = lines.flatMap((line, index) => (line.startsWith('{"line":"event"') ? [index] : []));
          const chosen = events[at % events.length] ?? 0;
          const line = Buffer.from(lines[chosen] ?? '');
          const index = line.indexOf('"event":"') + 9 + (at % (line.length - line.indexOf('"event":"') - 11));
          line[index] = (line[index] ?? 0) ^ mask;
          const body = Buffer.concat(
            lines.flatMap((text, i) => [i === chosen ? line : Buffer.from(text), Buffer.from('\n')]),
          );
          const sealed = Buffer.concat([body, Buffer.from(`{"line":"end","sha256":"${sha256(body)}"}\n`)]);
          expect(await findingsIn(sealed)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
