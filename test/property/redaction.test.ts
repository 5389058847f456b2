/** events/redaction-same-state: for random histories and any redaction in them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newProjections } from '../../projections/index.ts';
import { type DomainEvent, redactedForm, type StoredRecord } from '../../src/contracts/events/events.ts';
import { attemptKey } from '../../src/contracts/ids.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { CommitPipeline, type LogEntry } from '../../src/engine/runtime/commit-pipeline.ts';
import { BEGINNING, rebuild } from '../../src/engine/runtime/rebuild.ts';
import { type Message, readRecords } from '../../src/journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../src/journal/journal.ts';
import { skeletonOf, withTombstones } from '../../src/journal/redactions.ts';
import { type Claims, eventOf, type Step, step } from '../support/history/random-history.ts';
import { auditOf, readerOf } from '../support/history/signed-log.ts';

interface Part {
  readonly step: Step;
  /** Offered with it: those of the same task are stored together. */
  readonly more: readonly Step[];
  /** Whether something is redacted after the step, and what. */
  readonly redacts: boolean;
  readonly pick: number;
}

const parts: fc.Arbitrary<Part[]> = fc.array(
  fc.record({
    step,
    more: fc.array(step, { maxLength: 2 }),
    redacts: fc.nat({ max: 3 }).map((dice) => dice === 0),
    pick: fc.nat({ max: 10_000 }),
  }),
  { maxLength: 40, size: 'max' },
);

/** A history with redactions, as it was lived through. */
class Lived {
  readonly projections = newProjections();
  messages: StoredMessage[] = [];
  readonly redacted = new Set<number>();
  readonly #host = new ActorHost();
  readonly #claims: Claims = new Map();
  readonly #pipeline = new CommitPipeline({
    clock: { now: () => Date.UTC(2025, 0, 1), schedule: () => () => {} },
    writer: 'w',
    maxBacklog: 1,
    maxEventBytes: 10_000_000,
  });
  #sequence = 0;
  /** Events that share the message of another one. */
  together = 0;

  constructor(all: readonly Part[]) {
    this.#pipeline.attach({
      host: this.#host,
      last: BEGINNING,
      journal: { state: { kind: 'open' }, backlog: 0, append: (entry) => this.#store(entry) },
      onCommitted: (records) => {
        for (const record of records) this.projections.evolve(record);
      },
    });
    this.#commit({ type: 'supervisor.started', writer: 'w', version: '1', host: 'h', pid: 1 });
    for (const part of all) {
      // Those of one task are stored as one message.
      this.#pipeline.together(() => {
        for (const step of [part.step, ...part.more]) this.#offer(step);
      });
      if (part.redacts) this.#redact(part.pick);
    }
    this.#commit({ type: 'supervisor.stopped', reason: 'the end' });
  }

  #offer(next: Step): void {
    const event = eventOf(next, this.#host, this.#claims);
    if (event.type.startsWith('supervisor.') || event.type === 'task.redacted') return;
    try {
      this.#commit(event);
    } catch {
      return;
    }
    if (event.type === 'task.claimed') this.#claims.set(attemptKey(event), event.agent);
  }

  #redact(pick: number): void {
    const messages = this.messages.filter((message) => isRedactable(readRecords(message)));
    const message = messages[pick % messages.length];
    if (!message) return;
    const [{ event }] = readRecords(message);
    if (!('task' in event)) return;
    const { project, task } = event;
    this.#commit({ type: 'task.redacted', project, task, reason: 'a test', ...skeletonOf(message) });
    this.redacted.add(message.sequence);
    this.messages = this.messages.filter((each) => each !== message);
  }

  #commit(event: DomainEvent): void {
    this.#pipeline.decide(event, { actor: 'user:test' });
  }

  #store(entry: LogEntry): void {
    const { id, subject, bytes } = entry;
    this.#pipeline.onStored(entry, ++this.#sequence);
    this.messages.push({ sequence: this.#sequence, id, subject, bytes });
    this.together += entry.records.length - 1;
  }
}

/** Redactions themselves are not redacted. */
function isRedactable(records: Message<StoredRecord>): boolean {
  return records.some(({ event }) => 'task' in event && redactedForm(event) !== null);
}

describe('a history in which anything was redacted', () => {
  it('events/redaction-same-state: replays, without the erased content, to the recorded state', async () => {
    let redactions = 0;
    let together = 0;
    await fc.assert(
      fc.asyncProperty(parts, async (all) => {
        const lived = new Lived(all);
        redactions += lived.redacted.size;
        together += lived.together;
        const projections = newProjections();
        const reader = withTombstones(readerOf(lived.messages));
        await rebuild(reader.read({ from: 1 }), new ActorHost(), projections);
        expect(projections.toText()).toBe(lived.projections.toText());
        const { findings, verification } = await auditOf(lived.messages);
        expect(findings).toEqual([]);
        expect(verification.redacted).toBe(lived.redacted.size);
      }),
      { numRuns: 80 },
    );
    expect(redactions).toBeGreaterThan(100);
    expect(together).toBeGreaterThan(100);
  });

  it('events/redaction-same-state: redacting a redacted event changes nothing', () => {
    fc.assert(
      fc.property(parts, (all) => {
        for (const { event } of new Lived(all).messages.flatMap(readRecords)) {
          const once = redactedForm(event);
          if (once) expect(redactedForm(once) ?? once).toEqual(once);
        }
      }),
      { numRuns: 30 },
    );
  });
});
