/**
 * How a record stands in the log: one structured CloudEvent 1.0 a message, readable with any NATS tool.
 *
 * W1 The bytes are made once. What is published, hashed and resent are the same bytes.
 * W2 `previoushash` is the SHA-256 of the bytes of the message before, so the log is a chain.
 */
import { z } from 'zod';
import { SignalboxError } from './errors.ts';
import {
  type DomainEvent,
  ENTITY_KINDS,
  EVENT_TYPES,
  type EventRecord,
  type EventType,
  eventSchemas,
  type Transition,
} from './events.ts';
import { SYSTEM_PROJECT } from './ids.ts';
import { quickCheck } from './quick-check.ts';

const TYPE_PREFIX = 'dev.signalbox.';
const TYPE_SUFFIX = '.v1';

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

const attributes = {
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string(),
  type: z.string().regex(/^dev\.signalbox\.[a-z_.]+\.v1$/),
  time: z.string(),
  actor: z.string(),
  cause: z.string().optional(),
  previoushash: z.string().length(64),
};

const envelopeSchema = z.object({
  ...attributes,
  data: z.strictObject({ event: payloadSchema, transitions: z.array(transitionSchema) }),
});
type Envelope = z.infer<typeof envelopeSchema>;

const hasAttributes = quickCheck(
  z.object({
    ...attributes,
    data: z.strictObject({
      event: z.looseObject({ type: z.enum(EVENT_TYPES) }),
      transitions: z.array(transitionSchema),
    }),
  }),
);
const hasFormOf = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, quickCheck(eventSchemas[type] as z.ZodType<DomainEvent>)]),
) as Readonly<Record<EventType, (value: unknown) => value is DomainEvent>>;

/** The entity that an event is filed under: an attempt's events stand under its task. */
export interface Filing {
  readonly project: string;
  readonly entity: 'task' | 'agent' | 'supervisor';
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
  return { project: SYSTEM_PROJECT, entity: 'supervisor', id: 'supervisor', name: verb };
}

/**
 * The JSON text of a record. Put together by hand: ids and types need no escaping, and one pass over a nested
 * envelope takes twice the time.
 * @param eventJson the event's own JSON
 */
export function encodeRecord(record: EventRecord, filing: Filing, eventJson: string): string {
  const cause = record.cause === undefined ? '' : `"cause":${JSON.stringify(record.cause)},`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":"/projects/${filing.project}",` +
    `"type":"${TYPE_PREFIX}${record.event.type}${TYPE_SUFFIX}","subject":"${filing.id}",` +
    `"time":"${new Date(record.time).toISOString()}","datacontenttype":"application/json",` +
    `"actor":${JSON.stringify(record.actor)},${cause}"previoushash":"${record.previousHash}",` +
    `"data":{"event":${eventJson},"transitions":[${record.transitions.map(encodeTransition).join()}]}}`
  );
}

function encodeTransition({ entity, id, version, from, to, machine }: Transition): string {
  const origin = from === null ? 'null' : `"${from}"`;
  return `{"entity":"${entity}","id":"${id}","version":${version},"from":${origin},"to":"${to}","machine":"${machine}"}`;
}

/**
 * Reads one message of the log.
 * @throws SignalboxError `log_corrupt` for bytes that Signalbox cannot have written, or that a newer version wrote.
 */
export function decodeRecord(text: string, where: string): EventRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(where, 'it is not JSON', cause);
  }
  const envelope = envelopeOf(json, where);
  const type = envelope.type.slice(TYPE_PREFIX.length, -TYPE_SUFFIX.length) as EventType;
  if (type !== envelope.data.event.type) {
    throw corrupt(where, `its type is ${envelope.type} but its data is a ${envelope.data.event.type}`);
  }
  return {
    id: envelope.id,
    time: Date.parse(envelope.time),
    actor: envelope.actor,
    cause: envelope.cause,
    previousHash: envelope.previoushash,
    event: envelope.data.event,
    transitions: envelope.data.transitions as Transition[],
  };
}

function envelopeOf(json: unknown, where: string): Envelope {
  if (hasAttributes(json) && hasFormOf[json.data.event.type](json.data.event)) return json as Envelope;
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) throw corrupt(where, describe(parsed.error), parsed.error);
  return parsed.data;
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
