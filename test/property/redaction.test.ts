/** events/redaction-same-state: for random histories and any redaction in them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newProjections } from '../../projections/index.ts';
import { type DomainEvent, redactedForm, type StoredRecord } from '../../src/contracts/events/events.ts';
import { attemptKey } from '../../src/contracts/ids.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { CommitPipeline } from '../../src/engine/runtime/commit-pipeline.ts';
import { BEGINNING, rebuild } from '../../src/engine/runtime/rebuild.ts';
import { readRecord } from '../../src/journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../src/journal/journal.ts';
import { skeletonOf, withTombstones } from '../../src/journal/redactions.ts';
import { type Claims, eventOf, type Step, step } from '../support/history/random-history.ts';
import { auditOf, readerOf } from '../support/history/signed-log.ts';
import { MemoryJournal, MemoryLog } from '../support/memory-journal.ts';

interface Part {
  readonly step: Step;
  /** Whether something is redacted after the step, and what. */
  readonly redacts: boolean;
  readonly pick: number;
}

const parts: fc.Arbitrary<Part[]> = fc.array(
  fc.record({ step, redacts: fc.nat({ max: 3 }).map((dice) => dice === 0), pick: fc.nat({ max: 10_000 }) }),
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

  constructor(all: readonly Part[]) {
    this.#pipeline.attach({
      host: this.#host,
      last: BEGINNING,
      journal: new MemoryJournal(new MemoryLog(), this.#pipeline),
      onCommitted: (record) => this.projections.evolve(record),
    });
    this.#commit({ type: 'supervisor.started', writer: 'w', version: '1', host: 'h', pid: 1 });
    for (const part of all) {
      this.#offer(part.step);
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
    const records = this.messages.map(readRecord).filter(isRedactable);
    const record = records[pick % records.length];
    const message = this.messages.find(({ sequence }) => sequence === record?.sequence);
    if (!record || !message || !('task' in record.event)) return;
    const { project, task } = record.event;
    this.#commit({ type: 'task.redacted', project, task, reason: 'a test', ...skeletonOf(message) });
    this.redacted.add(message.sequence);
    this.messages = this.messages.filter((each) => each !== message);
  }

  #commit(event: DomainEvent): void {
    const { id, subject, bytes, ...entry } = this.#pipeline.prepare(event, { actor: 'user:test' });
    this.#pipeline.onStored({ id, subject, bytes, ...entry }, ++this.#sequence);
    this.messages.push({ sequence: this.#sequence, id, subject, bytes });
  }
}

function isRedactable({ event }: StoredRecord): boolean {
  return 'task' in event && redactedForm(event) !== null;
}

describe('a history in which anything was redacted', () => {
  it('events/redaction-same-state: replays, without the erased content, to the recorded state', async () => {
    let redactions = 0;
    await fc.assert(
      fc.asyncProperty(parts, async (all) => {
        const lived = new Lived(all);
        redactions += lived.redacted.size;
        const projections = newProjections();
        const reader = withTombstones(readerOf(lived.messages));
        await rebuild(reader.read({ from: 1 }), new ActorHost(), projections);
        expect(projections.toText()).toBe(lived.projections.toText());
        const { findings, verification } = await auditOf(lived.messages);
        expect(findings).toEqual([]);
        expect(verification.redacted).toBe(lived.redacted.size);
      }),
      { numRuns: 150 },
    );
    expect(redactions).toBeGreaterThan(100);
  });

  it('events/redaction-same-state: redacting a redacted event changes nothing', () => {
    fc.assert(
      fc.property(parts, (all) => {
        for (const { event } of new Lived(all).messages.map(readRecord).filter(isRedactable)) {
          const once = redactedForm(event);
          if (once) expect(redactedForm(once) ?? once).toEqual(once);
        }
      }),
      { numRuns: 30 },
    );
  });
});
