/**
 * The form of a record in the log: one structured CloudEvent 1.0 a message, readable with any NATS tool.
 *
 * The bytes are made once: what is published, hashed and sent again are the same bytes. `previoushash` is the SHA-256
 * of the bytes of the message before, so the log is a chain.
 */
import { z } from 'zod';
import { SignalboxError } from '../../contracts/errors.ts';
import {
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
  data: z.strictObject({ event: z.unknown(), transitions: z.array(transitionSchema) }),
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

/**
 * The JSON text of a record. It is concatenated: ids and types need no escaping, and `JSON.stringify` of the nested
 * envelope takes twice the time.
 * @param eventJson the JSON of the event itself
 */
export function encodeRecord(record: EventRecord, { project, id }: SubjectParts, eventJson: string): string {
  const cause = record.cause === undefined ? '' : `"cause":${JSON.stringify(record.cause)},`;
  // The CloudEvents extension for distributed tracing.
  const { event } = record;
  const traceparent = event.type === 'task.created' ? event.spec.traceparent : undefined;
  const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":"/projects/${project}",` +
    `"type":"${VERSIONED_TYPES.get(event.type)}","subject":"${id}",` +
    `"time":"${new Date(record.time).toISOString()}","datacontenttype":"application/json",` +
    `"actor":${JSON.stringify(record.actor)},${cause}${trace}"previoushash":"${record.previousHash}",` +
    `"data":{"event":${eventJson},"transitions":[${record.transitions.map(encodeTransition).join()}]}}`
  );
}

function encodeTransition({ entity, id, version, from, to, machine }: Transition): string {
  const origin = from === null ? 'null' : `"${from}"`;
  return `{"entity":"${entity}","id":"${id}","version":${version},"from":${origin},"to":"${to}","machine":"${machine}"}`;
}

/** The record in a message of the log. @throws as `decodeRecord` */
export function readRecord({ bytes, sequence }: Pick<StoredMessage, 'sequence' | 'bytes'>): StoredRecord {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const record = decodeRecord(text, `sequence ${sequence}`);
  // Not a spread, which is several times as slow: this runs for every event of a log.
  const { id, time, actor, cause, previousHash, event, transitions } = record;
  return { sequence, id, time, actor, cause, previousHash, event, transitions };
}

/**
 * Decodes the text of a record, with its event in the current version.
 * @param where the place of the text, for messages
 * @throws SignalboxError `log_corrupt` for bytes that Signalbox cannot have written, `log_newer` for an event of a
 *   version that only a newer one writes.
 */
export function decodeRecord(text: string, where: string, upcasters: Upcasters = UPCASTERS): EventRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(where, 'it is not JSON', cause);
  }
  const envelope = checked(json, ENVELOPE, where);
  const { type, event: stored } = currentForm(envelope.type, envelope.data.event, where, upcasters);
  const checker = EVENT_CHECKERS.get(type);
  if (checker === undefined) throw corrupt(where, `its type is ${envelope.type}`);
  return {
    id: envelope.id,
    time: Date.parse(envelope.time),
    actor: envelope.actor,
    cause: envelope.cause,
    previousHash: envelope.previoushash,
    event: checked(stored, checker, where),
    transitions: envelope.data.transitions,
  };
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
