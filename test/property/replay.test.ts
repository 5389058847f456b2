import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blackboard } from '../../projections/index.ts';
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { memorySource } from '../../src/engine/replay/event-source.ts';
import { fold } from '../../src/engine/replay/fold.ts';
import { Replay } from '../../src/engine/replay/replay.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { LIVED_SINCE, Lived, seenIn } from '../support/history/lived-history.ts';
import { step } from '../support/history/random-history.ts';

const HISTORIES = 1_000;
const steps = fc.array(step, { maxLength: 40, size: 'max' });

describe('a replay', () => {
  it('replay/same-result: shows at every moment of 1,000 random histories what was visible then', {
    timeout: 120_000,
  }, async () => {
    let moments = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const lived = new Lived(all, true);
        const host = new ActorHost();
        await using replay = new Replay(memorySource(lived.messages), { host });
        for (const [index, text] of lived.texts.entries()) {
          await replay.advance({ kind: 'sequence', sequence: index + 1 });
          expect(seenIn(replay.projections, host)).toBe(text);
          moments++;
        }
        expect(replay.projections.toText()).toBe(lived.projections.toText());
      }),
      { numRuns: HISTORIES },
    );
    // Histories that end at once would prove nothing.
    expect(moments).toBeGreaterThan(10 * HISTORIES);
  });

  it('shows the same whether it reaches a moment directly, by sequence or by time, or step by step', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, which) => {
        const { messages, texts } = new Lived(all, true);
        const sequence = 1 + (which % messages.length);
        const time = LIVED_SINCE + sequence - 1;
        for (const moment of [{ kind: 'sequence', sequence } as const, { kind: 'time', time } as const]) {
          const host = new ActorHost();
          await using replay = new Replay(memorySource(messages), { host });
          expect(await replay.advance(moment)).toEqual({ sequence, time });
          expect(seenIn(replay.projections, host)).toBe(texts[sequence - 1]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('resumes from a kept state, with the same result as from the beginning', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, which) => {
        const { messages } = new Lived(all);
        const source = memorySource(messages);
        const whole = await fold(source, blackboard);
        const kept = await fold(source, blackboard, { to: which % (messages.length + 1) });
        const resumed = await fold(source, blackboard, { resume: kept });
        expect(resumed.sequence).toBe(messages.length);
        expect(canonicalJson(blackboard.toJSON(resumed.state))).toBe(
          canonicalJson(blackboard.toJSON(whole.state)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to resume from a state of a longer log', async () => {
    const { messages } = new Lived([]);
    const kept = await fold(memorySource(messages), blackboard);
    const shorter = memorySource(messages.slice(0, -1));
    const refused = { code: 'log_mismatch', details: { sequence: 2, last: 1 } };
    await expect(fold(shorter, blackboard, { resume: kept })).rejects.toMatchObject(refused);
  });
});
