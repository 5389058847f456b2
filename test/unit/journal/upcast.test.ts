import { describe, expect, it } from 'vitest';
import { type DomainEvent, EVENT_TYPES } from '../../../src/contracts/events/events.ts';
import { subjectPartsOf } from '../../../src/contracts/messages/subjects.ts';
import { decodeMessage, encodeMessage, GENESIS_HASH } from '../../../src/journal/codec/cloud-event.ts';
import {
  parseVersionedType,
  type Upcasters,
  upcast,
  versionedTypeOf,
} from '../../../src/journal/codec/upcast.ts';

const TYPE = 'task.comment_added';
const ADDRESS = { type: TYPE, project: 'demo', task: 'a' };

/** A history of the comment that never was: `text` became `body`, then an author had to be named. */
const TABLE: Upcasters = {
  [TYPE]: [
    ({ text, ...rest }) => ({ ...rest, body: text }),
    ({ author, ...rest }) => ({ ...rest, author: author ?? 'unknown' }),
  ],
};

/** The bytes of an event as some version of Signalbox has written them. */
function written(version: number, event: Readonly<Record<string, unknown>>): string {
  const record = {
    id: 'w-1',
    time: 0,
    actor: 'user:ann',
    cause: undefined,
    previousHash: GENESIS_HASH,
    left: 0,
    event: event as DomainEvent,
    transitions: [],
  };
  const text = encodeMessage([{ record, json: JSON.stringify(event) }], subjectPartsOf(record.event));
  return text.replace('task.comment_added.v1', `task.comment_added.v${version}`);
}

describe('events of other versions', () => {
  it.each([
    [1, { ...ADDRESS, text: 'well done' }, 'unknown'],
    [2, { ...ADDRESS, body: 'well done' }, 'unknown'],
    [3, { ...ADDRESS, body: 'well done', author: 'ann' }, 'ann'],
  ])('upcasts an event of version %i through all later versions', (version, event, author) => {
    const [read] = decodeMessage(written(version, event), 'sequence 1', 1, TABLE);
    expect(read.event).toEqual({ ...ADDRESS, body: 'well done', author });
  });

  it('refuses an event that is not valid after upcasting', () => {
    const event = { ...ADDRESS, text: 7 };
    expect(() => decodeMessage(written(1, event), 'sequence 12', 12, TABLE)).toThrow(/sequence 12 .* body/);
    expect(() => decodeMessage(written(1, { ...ADDRESS, body: 'x' }), 'sequence 12', 12, TABLE)).toThrow(
      expect.objectContaining({ code: 'log_corrupt' }),
    );
  });

  it('refuses a newer version, and says which one it knows', () => {
    const read = (): unknown => decodeMessage(written(4, { ...ADDRESS, text: 'x' }), 'sequence 9', 9, TABLE);
    expect(read).toThrow(
      /^the event at sequence 9 is a task.comment_added of version 4, and this Signalbox knows version 3 at most: a newer one wrote the log/,
    );
    expect(read).toThrow(expect.objectContaining({ code: 'log_newer' }));
  });

  it('says that an unknown type may come from a newer version', () => {
    const text = written(1, ADDRESS).replaceAll(TYPE, 'task.teleported');
    expect(() => decodeMessage(text, 'sequence 9')).toThrow(
      /task.teleported: this version .* newer Signalbox/,
    );
  });

  it('does not change other types', () => {
    const event = { type: 'task.due', project: 'demo', task: 'a' };
    expect(upcast({ type: 'task.due', version: 1 }, event, 'x', TABLE)).toEqual({ type: 'task.due', event });
    expect(() => upcast({ type: 'task.due', version: 2 }, event, 'x', TABLE)).toThrow('knows version 1');
  });

  it.each(EVENT_TYPES)('has only first versions: %s', (type) => {
    expect(versionedTypeOf(type)).toBe(`dev.signalbox.${type}.v1`);
    expect(parseVersionedType(versionedTypeOf(type))).toEqual({ type, version: 1 });
    expect(versionedTypeOf(TYPE, TABLE)).toBe('dev.signalbox.task.comment_added.v3');
  });

  it.each([
    '',
    'task.due.v1',
    'dev.signalbox.task.due',
    'dev.signalbox.task.due.v0',
    'dev.signalbox.task.due.v1x',
  ])('knows no type of another form: %j', (text) => expect(parseVersionedType(text)).toBeNull());
});
