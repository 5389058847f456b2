/**
 * How a record stands in the log: one structured CloudEvent 1.0 a message, readable with any NATS tool.
 *
 * W1 The bytes are made once. What is published, hashed and resent are the same bytes.
 * W2 `previoushash` is the SHA-256 of the bytes of the message before, so the log is a chain.
 */
import { z } from 'zod';
import { SignalboxError } from '../errors.ts';
import { SYSTEM_PROJECT } from '../ids.ts';
import {
  type DomainEvent,
  ENTITY_KINDS,
  EVENT_TYPES,
  type EventRecord,
  type EventType,
  eventSchemas,
  type Transition,
} from './events.ts';
import { quickCheck } from './quick-check.ts';
import { parseVersionedType, UPCASTERS, type Upcasters, upcast, versionedTypeOf } from './upcast.ts';

/** The hash that stands before the first event. */
export const GENESIS_HASH = '0'.repeat(64);

const transitionSchema = z.strictObject({
  entity: z.enum(ENTITY_KINDS),
  id: z.string(),
  version: z.int().min(1),
  from: z.string().nullable(),
  to: z.string(),
  machine: z.string(),
});

const payloadSchema = z.discriminatedUnion(
  'type',
  Object.values(eventSchemas) as unknown as readonly [(typeof eventSchemas)['task.created']],
) as unknown as z.ZodType<DomainEvent>;

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

const hasAttributes = quickCheck(envelopeSchema);
const hasFormOf = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, quickCheck(eventSchemas[type] as z.ZodType<DomainEvent>)]),
) as Readonly<Record<EventType, (value: unknown) => value is DomainEvent>>;

/** As envelopes name them today, and back. */
const VERSIONED_TYPES = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, versionedTypeOf(type)]),
) as Readonly<Record<EventType, string>>;
const TYPES_OF_TODAY: ReadonlyMap<string, EventType> = new Map(
  EVENT_TYPES.map((type) => [VERSIONED_TYPES[type], type]),
);

/** The entity that an event is filed under: an attempt's events stand under its task. */
export interface Filing {
  readonly project: string;
  readonly entity: 'task' | 'agent' | 'queue' | 'supervisor';
  readonly id: string;
  /** The last token of the subject, e.g. `claimed` or `attempt_started`. */
  readonly name: string;
}

export function filingOf(event: DomainEvent): Filing {
  const [scope = '', verb = ''] = event.type.split('.');
  if ('task' in event) {
    const name = scope === 'task' ? verb : `${scope}_${verb}`;
    return { project: event.project, entity: 'task', id: event.task, name };
  }
  if ('agent' in event) return { project: SYSTEM_PROJECT, entity: 'agent', id: event.agent, name: verb };
  if ('queue' in event) return { project: SYSTEM_PROJECT, entity: 'queue', id: event.queue, name: verb };
  return { project: SYSTEM_PROJECT, entity: 'supervisor', id: 'supervisor', name: verb };
}

/**
 * The JSON text of a record. Put together by hand: ids and types need no escaping, and one pass over a nested
 * envelope takes twice the time.
 * @param eventJson the event's own JSON
 */
export function encodeRecord(record: EventRecord, filing: Filing, eventJson: string): string {
  const cause = record.cause === undefined ? '' : `"cause":${JSON.stringify(record.cause)},`;
  // The extension for distributed tracing, on the event that begins what was asked for.
  const { event } = record;
  const traceparent = event.type === 'task.created' ? event.spec.traceparent : undefined;
  const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":"/projects/${filing.project}",` +
    `"type":"${VERSIONED_TYPES[event.type]}","subject":"${filing.id}",` +
    `"time":"${new Date(record.time).toISOString()}","datacontenttype":"application/json",` +
    `"actor":${JSON.stringify(record.actor)},${cause}${trace}"previoushash":"${record.previousHash}",` +
    `"data":{"event":${eventJson},"transitions":[${record.transitions.map(encodeTransition).join()}]}}`
  );
}

function encodeTransition({ entity, id, version, from, to, machine }: Transition): string {
  const origin = from === null ? 'null' : `"${from}"`;
  return `{"entity":"${entity}","id":"${id}","version":${version},"from":${origin},"to":"${to}","machine":"${machine}"}`;
}

/**
 * Reads one message of the log, and lifts an event of an older version to today's (UP1).
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
  const envelope = checked(json, hasAttributes, envelopeSchema, where);
  const { type, event: stored } = today(envelope.type, envelope.data.event, where, upcasters);
  const event = checked(stored, hasFormOf[type], payloadSchema, where);
  if (type !== event.type)
    throw corrupt(where, `its type is ${envelope.type} but its data is a ${event.type}`);
  return {
    id: envelope.id,
    time: Date.parse(envelope.time),
    actor: envelope.actor,
    cause: envelope.cause,
    previousHash: envelope.previoushash,
    event,
    transitions: envelope.data.transitions as Transition[],
  };
}

/** The event in its version of today, which nearly all have already. */
function today(
  name: string,
  event: unknown,
  where: string,
  upcasters: Upcasters,
): { readonly type: EventType; readonly event: unknown } {
  const known = upcasters === UPCASTERS ? TYPES_OF_TODAY.get(name) : undefined;
  if (known !== undefined) return { type: known, event };
  const versioned = parseVersionedType(name);
  if (versioned === null) throw corrupt(where, `its type is ${name}`);
  // Only a type that is known is lifted.
  return { type: versioned.type as EventType, event: upcast(versioned, event, where, upcasters) };
}

/** Quickly where all is well; where it is not, the schema says what is wrong. */
function checked<Value>(
  value: unknown,
  isQuicklySeen: (value: unknown) => value is Value,
  schema: z.ZodType<Value>,
  where: string,
): Value {
  if (isQuicklySeen(value)) return value;
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
