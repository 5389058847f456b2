/**
 * The form of records in the log: one structured CloudEvent 1.0 a message, readable with any NATS tool. Events that were
 * decided together with the first one are in `data.also`, in their order.
 *
 * The bytes are made once: what is published, hashed and sent again are the same bytes. `previoushash` is the SHA-256
 * of the bytes of the message before, so the log is a chain.
 */
import { z } from 'zod';
import { SignalboxError } from '../../contracts/errors.ts';
import {
  type DomainEvent,
  declarationOf,
  EVENT_TYPES,
  type EventRecord,
  type EventType,
  type StoredRecord,
  type Transition,
  transitionSchema,
} from '../../contracts/events/events.ts';
import type { SubjectParts } from '../../contracts/messages/subjects.ts';
import type { StoredMessage } from '../journal.ts';
import { quickCheck } from './quick-check.ts';
import { parseVersionedType, UPCASTERS, type Upcasters, upcast, versionedTypeOf } from './upcast.ts';

const NOTHING: readonly never[] = [];

/** The `previoushash` of the first event. */
export const GENESIS_HASH = '0'.repeat(64);

const envelopeSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string(),
  type: z.string(),
  time: z.string(),
  actor: z.string(),
  cause: z.string().optional(),
  previoushash: z.string().length(64),
  data: z.strictObject({
    event: z.unknown(),
    transitions: z.array(transitionSchema),
    also: z
      .array(
        z.strictObject({
          type: z.string(),
          actor: z.string(),
          cause: z.string().optional(),
          event: z.unknown(),
          transitions: z.array(transitionSchema),
        }),
      )
      .min(1)
      .optional(),
  }),
});

/** A schema with its quick check. */
interface Checker<Value> {
  readonly schema: z.ZodType<Value>;
  readonly passes: (value: unknown) => value is Value;
}

const ENVELOPE = checkerOf(envelopeSchema);
const EVENT_CHECKERS = new Map(EVENT_TYPES.map((type) => [type, checkerOf(declarationOf(type).schema)]));

/** The types with their current versions, as envelopes name them, and back. */
const VERSIONED_TYPES = new Map(EVENT_TYPES.map((type) => [type, versionedTypeOf(type)]));
const CURRENT_TYPES = new Map(EVENT_TYPES.map((type) => [versionedTypeOf(type), type]));

function checkerOf<Value>(schema: z.ZodType<Value>): Checker<Value> {
  return { schema, passes: quickCheck(schema) };
}

/** What is encoded of a record, and the JSON of its event. */
export interface Encodable {
  readonly record: EventRecord;
  readonly json: string;
}

/** The id of an event in a message: that of the message for the first, with its number for the others. */
export function eventIdOf(message: string, number: number): string {
  return number === 0 ? message : `${message}.${number}`;
}

/**
 * The JSON text of a message. It is concatenated: ids and types need no escaping, and `JSON.stringify` of the nested
 * envelope takes twice the time.
 */
export function encodeMessage(
  [first, ...others]: readonly [Encodable, ...Encodable[]],
  { project, id }: SubjectParts,
): string {
  const { record, json } = first;
  // The CloudEvents extension for distributed tracing.
  const { event } = record;
  const traceparent = event.type === 'task.created' ? event.spec.traceparent : undefined;
  const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`;
  const also = others.length === 0 ? '' : `,"also":[${others.map(encodeFurther).join()}]`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":"/projects/${project}",` +
    `"type":"${VERSIONED_TYPES.get(event.type)}","subject":"${id}",` +
    `"time":"${new Date(record.time).toISOString()}","datacontenttype":"application/json",` +
    `${encodeOrigin(record)}${trace}"previoushash":"${record.previousHash}",` +
    `"data":{"event":${json},"transitions":${encodeTransitions(record)}${also}}}`
  );
}

function encodeFurther({ record, json }: Encodable): string {
  const type = VERSIONED_TYPES.get(record.event.type);
  return `{"type":"${type}",${encodeOrigin(record)}"event":${json},"transitions":${encodeTransitions(record)}}`;
}

function encodeOrigin({ actor, cause }: EventRecord): string {
  const because = cause === undefined ? '' : `"cause":${JSON.stringify(cause)},`;
  return `"actor":${JSON.stringify(actor)},${because}`;
}

function encodeTransitions({ transitions }: EventRecord): string {
  return `[${transitions.map(encodeTransition).join()}]`;
}

function encodeTransition({ entity, id, version, from, to, machine }: Transition): string {
  const origin = from === null ? 'null' : `"${from}"`;
  return `{"entity":"${entity}","id":"${id}","version":${version},"from":${origin},"to":"${to}","machine":"${machine}"}`;
}

/** The records of a message of the log, at least one. @throws as `decodeMessage` */
export function readRecords({
  bytes,
  sequence,
}: Pick<StoredMessage, 'sequence' | 'bytes'>): Message<StoredRecord> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  return decodeMessage(text, `sequence ${sequence}`, sequence);
}

/** All records of messages. @throws as `readRecords` */
export async function* recordsOf(
  messages: AsyncIterable<Pick<StoredMessage, 'sequence' | 'bytes'>>,
): AsyncIterable<StoredRecord> {
  for await (const message of messages) yield* readRecords(message);
}

/** The records of a message. */
export type Message<Each> = readonly [Each, ...Each[]];

/** The events of a message. */
export function eventsOf([first, ...others]: Message<EventRecord>): Message<DomainEvent> {
  return [first.event, ...others.map(({ event }) => event)];
}

/**
 * Decodes the text of a message, with its events in the current version.
 * @param where the place of the text, for messages
 * @throws SignalboxError `log_corrupt` for bytes that Signalbox cannot have written, `log_newer` for an event of a
 *   version that only a newer one writes.
 */
export function decodeMessage(
  text: string,
  where: string,
  sequence = 0,
  upcasters: Upcasters = UPCASTERS,
): Message<StoredRecord> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(where, 'it is not JSON', cause);
  }
  const { id, time: at, actor, cause, type, previoushash, data } = checked(json, ENVELOPE, where);
  const { event, transitions, also = NOTHING } = data;
  const time = Date.parse(at);
  const previousHash = previoushash;
  const count = also.length;
  const first: StoredRecord = {
    sequence,
    id,
    time,
    actor,
    cause,
    previousHash,
    left: count,
    event: eventIn(type, event, where, upcasters),
    transitions,
  };
  if (count === 0) return [first];
  const others = also.map(
    (each, index): StoredRecord => ({
      sequence,
      id: eventIdOf(id, index + 1),
      time,
      actor: each.actor,
      cause: each.cause,
      previousHash,
      left: count - 1 - index,
      event: eventIn(each.type, each.event, where, upcasters),
      transitions: each.transitions,
    }),
  );
  return [first, ...others];
}

/** An event of a message in its current version. */
function eventIn(name: string, stored: unknown, where: string, upcasters: Upcasters): DomainEvent {
  const { type, event } = currentForm(name, stored, where, upcasters);
  const checker = EVENT_CHECKERS.get(type);
  if (checker === undefined) throw corrupt(where, `its type is ${name}`);
  return checked(event, checker, where);
}

function currentForm(
  name: string,
  event: unknown,
  where: string,
  upcasters: Upcasters,
): { readonly type: EventType; readonly event: unknown } {
  const known = upcasters === UPCASTERS ? CURRENT_TYPES.get(name) : undefined;
  if (known !== undefined) return { type: known, event };
  const versioned = parseVersionedType(name);
  if (versioned === null) throw corrupt(where, `its type is ${name}`);
  return upcast(versioned, event, where, upcasters);
}

/** If the quick check fails, the schema says what is wrong. */
function checked<Value>(value: unknown, { schema, passes }: Checker<Value>, where: string): Value {
  if (passes(value)) return value;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw corrupt(where, describe(result.error), result.error);
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `at ${issue.path.join('.') || 'its root'}: ${issue.message}` : 'it has another form';
}

function corrupt(where: string, what: string, cause?: unknown): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the message at ${where} is not an event that this version of Signalbox understands: ${what}`,
    { cause },
  );
}
