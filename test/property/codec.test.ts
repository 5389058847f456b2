import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DomainEvent,
  declarationOf,
  ENTITY_KINDS,
  EVENT_TYPES,
  type EventRecord,
  type EventType,
  type StoredRecord,
} from '../../src/contracts/events/events.ts';
import { subjectPartsOf, subjectPartsOfAll } from '../../src/contracts/messages/subjects.ts';
import {
  decodeMessage,
  encodeMessage,
  eventIdOf,
  eventsOf as eventsIn,
  type Message,
} from '../../src/journal/codec/cloud-event.ts';
import { EVENTS, text } from '../support/history/event-arbitraries.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const state = fc.stringMatching(/^[a-z_]{1,12}$/);

const queue = fc.tuple(fc.constantFrom('agent', 'type'), id).map((parts) => parts.join(':'));

const transition = fc.record(
  {
    entity: fc.constantFrom(...ENTITY_KINDS),
    id: fc.tuple(id, id, fc.nat()).map((parts) => parts.join('/')),
    version: fc.integer({ min: 1, max: 2 ** 40 }),
    from: fc.option(state),
    to: state,
    machine: fc.tuple(id, fc.nat()).map((parts) => parts.join('@')),
  },
  { noNullPrototype: true },
);

const envelope = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
    time: fc.integer({ min: -(10 ** 14), max: 10 ** 14 }),
    actor: text,
    cause: fc.option(text, { nil: undefined }),
    previousHash: fc.stringMatching(/^[0-9a-f]{64}$/),
    transitions: fc.array(transition, { maxLength: 3 }),
  },
  { noNullPrototype: true },
);

/** Ids are checked where they come in, and stand in the envelope as they are. */
function eventsOf(type: EventType): fc.Arbitrary<DomainEvent> {
  const events = EVENTS.get(type);
  if (!events) throw new Error(`no arbitrary for ${type}`);
  return fc
    .tuple(events, fc.record({ project: id, task: id, agent: id, queue, schedule: id, budget: id }))
    .map(([event, ids]) => {
      const own = Object.entries(ids).filter(([name]) => name in event);
      return { ...event, ...Object.fromEntries(own) };
    });
}

function encode(records: Message<EventRecord>): string {
  const [first, ...others] = records.map((record) => ({ record, json: JSON.stringify(record.event) }));
  if (!first) throw new Error('a message has at least one record');
  return encodeMessage([first, ...others], subjectPartsOfAll(eventsIn(records)));
}

describe('records in the log', () => {
  it.each(EVENT_TYPES)(
    'events/self-addressed: are read as they were written, with their address: %s',
    (type) => {
      fc.assert(
        fc.property(
          envelope,
          eventsOf(type),
          fc.array(fc.tuple(eventsOf(type), id)),
          (rest, event, others) => {
            const count = others.length;
            const records: Message<StoredRecord> = [
              { ...rest, sequence: 7, left: count, event },
              ...others.map(([each, actor], index) => ({
                ...rest,
                sequence: 7,
                id: eventIdOf(rest.id, index + 1),
                actor,
                left: count - 1 - index,
                event: each,
              })),
            ];
            const encoded = encode(records);
            expect(decodeMessage(encoded, 'a test', 7)).toEqual(records);
            // Encoding has one form only, so changed bytes can be detected.
            expect(encode(decodeMessage(encoded, 'a test'))).toBe(encoded);
            expect(Buffer.from(encoded).toString()).toBe(encoded);
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it.each(EVENT_TYPES)('is refused with a field that its type does not have, or without one: %s', (type) => {
    const required = Object.entries(declarationOf(type).schema.shape)
      .filter(([, schema]) => !schema.safeParse(undefined).success)
      .map(([name]) => name);
    fc.assert(
      fc.property(envelope, eventsOf(type), fc.constantFrom(...required), (rest, event, field) => {
        const refused = expect.objectContaining({ code: 'log_corrupt' });
        const { [field]: _, ...without } = event as Record<string, unknown>;
        for (const wrong of [{ ...event, unknown_field: 1 }, without]) {
          const record = { ...rest, left: 0, event };
          const bytes = encodeMessage([{ record, json: JSON.stringify(wrong) }], subjectPartsOf(event));
          expect(() => decodeMessage(bytes, 'a test')).toThrow(refused);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('is refused if it is not JSON or not an event, and the message says where it is', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (bytes) => {
        expect(() => decodeMessage(bytes, 'sequence 17')).toThrow(/sequence 17/);
      }),
    );
  });
});
