import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newProjections } from '../../projections/index.ts';
import { canonicalJson } from '../../src/base/canonical-json.ts';
import { sha256 } from '../../src/base/hash.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { Rebuilding, type Rebuilt, rebuild } from '../../src/engine/runtime/rebuild.ts';
import type { StoredMessage } from '../../src/journal/journal.ts';
import { Lived, seenIn } from '../support/history/lived-history.ts';
import { AGENTS, step, TASKS } from '../support/history/random-history.ts';

const steps = fc.array(step, { maxLength: 40, size: 'max' });
const history = steps.map((all) => new Lived(all));

async function* replayed(messages: Iterable<StoredMessage>, between = (_: number) => {}) {
  for (const message of messages) {
    yield message;
    between(message.sequence);
  }
}

function rebuildOf(messages: readonly StoredMessage[]): Promise<Rebuilt> {
  return rebuild(replayed(renumbered(messages)), new ActorHost(), newProjections());
}

/** An editor who covers his tracks: the log has no gap in its sequences. */
function renumbered(messages: readonly StoredMessage[]): StoredMessage[] {
  return messages.map((message, index) => ({ ...message, sequence: index + 1 }));
}

function flipped(message: StoredMessage, at: number, mask: number): StoredMessage {
  const bytes = Buffer.from(message.bytes);
  const index = at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  return { ...message, bytes };
}

/** A flipped digit of a version makes an event of a newer one. */
const refused = expect.objectContaining({
  code: expect.stringMatching(/^(log_corrupt|log_newer|replay_diverged)$/),
});

describe('a rebuild', () => {
  it('projections/same-from-log: shows after every event what was shown when it happened, and ends in the same state', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { messages, texts, host } = new Lived(all, true);
        const again = new ActorHost();
        const projections = newProjections();
        const prefix = replayed(messages, (sequence) => {
          expect(seenIn(projections, again)).toBe(texts[sequence - 1]);
        });
        const { tip, hash } = await rebuild(prefix, again, projections);
        const last = messages.at(-1);
        expect(tip).toEqual({ sequence: messages.length, id: last?.id });
        expect(hash).toBe(sha256(last?.bytes ?? ''));
        for (const task of TASKS) expect(again.get('task', task)).toEqual(host.get('task', task));
        for (const agent of AGENTS) expect(again.get('agent', agent)).toEqual(host.get('agent', agent));
        expect([...again.ids('attempt')]).toEqual([...host.ids('attempt')]);
      }),
      { numRuns: 60 },
    );
  });

  it('replay/same-result: changing entries in place gives the same state; entries that were read stay as they are', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, at) => {
        const { messages } = new Lived(all);
        const [unseen, shown] = [newProjections('unseen'), newProjections()];
        const [one, other] = [unseen, shown].map(
          (projections) => new Rebuilding({ host: new ActorHost(), projections }),
        );
        const handOut = at % messages.length;
        const kept = new Map<object, string>();
        messages.forEach((message, index) => {
          one?.next(message);
          other?.next(message);
          expect(unseen.toText()).toBe(shown.toText());
          if (index === handOut) unseen.handOut();
          if (index < handOut) return;
          const { blackboard, attempts, agents } = unseen;
          for (const table of [blackboard.tasks, attempts.byTask, agents.byId]) {
            for (const entry of table.values()) if (!kept.has(entry)) kept.set(entry, canonicalJson(entry));
          }
        });
        for (const [entry, text] of kept) expect(canonicalJson(entry)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('replay/same-result: refuses a log in which any byte of any message but the last was flipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async ({ messages }, which, at, mask) => {
          const index = which % (messages.length - 1);
          const edited = messages.map((each, i) => (i === index ? flipped(each, at, mask) : each));
          await expect(rebuildOf(edited)).rejects.toEqual(refused);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('replay/same-result: refuses a flip in the last message, or ends with a hash that the next message will not have', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async ({ messages }, at, mask) => {
          const last = messages.at(-1);
          if (!last) return;
          const edited = [...messages.slice(0, -1), flipped(last, at, mask)];
          const outcome = await rebuildOf(edited).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toEqual(refused);
          else expect((outcome as Rebuilt).hash).not.toBe(sha256(last.bytes));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('replay/same-result: refuses a log from which a message was removed, unless it was the last', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async ({ messages }, which) => {
        const without = messages.toSpliced(which % (messages.length - 1), 1);
        await expect(rebuildOf(without)).rejects.toEqual(refused);
        // A log that lost its end is a log: the high-water mark knows better, not the chain.
        expect((await rebuildOf(messages.slice(0, -1))).tip.sequence).toBe(messages.length - 1);
      }),
      { numRuns: 40 },
    );
  });

  it('replay/same-result: refuses a log in which two messages changed places', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async ({ messages }, one, distance) => {
        const a = one % messages.length;
        const b = (a + 1 + (distance % (messages.length - 1))) % messages.length;
        const edited = messages.map((each, index) => {
          if (index === a) return messages[b] ?? each;
          return index === b ? (messages[a] ?? each) : each;
        });
        await expect(rebuildOf(edited)).rejects.toEqual(refused);
      }),
      { numRuns: 60 },
    );
  });

  it('replay/same-result: refuses a log into which a message was inserted, even one of its own', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async ({ messages }, which, where) => {
        const copy = messages[which % messages.length];
        if (!copy) return;
        const edited = messages.toSpliced(where % (messages.length + 1), 0, copy);
        await expect(rebuildOf(edited)).rejects.toEqual(refused);
      }),
      { numRuns: 60 },
    );
  });

  it('replay/same-result: refuses a log with a new chain over an edited event that now has a different result', async () => {
    const { messages } = new Lived([]);
    const [first, second] = messages;
    if (!first || !second) throw new Error('a history has at least two events');
    const text = Buffer.from(first.bytes).toString().replace('"to":"running"', '"to":"draining"');
    const edited = { ...first, bytes: Buffer.from(text) };
    const link = Buffer.from(second.bytes)
      .toString()
      .replace(/[0-9a-f]{64}/, sha256(edited.bytes));
    await expect(rebuildOf([edited, { ...second, bytes: Buffer.from(link) }])).rejects.toMatchObject({
      code: 'replay_diverged',
      details: { sequence: 1 },
    });
  });
});
