/**
 * Everything that is said over NATS, as an AsyncAPI 3.1 document: made of the schemas and subjects that the code uses.
 */
import { z } from 'zod';
import { declarationOf, EVENT_TYPES, type EventType } from '../../contracts/events/events.ts';
import {
  agentMessageSchemas,
  answerSchema,
  cancelSchema,
  jobSchema,
  rejectionRecordSchema,
} from '../../contracts/messages/agent-messages.ts';
import {
  AGENT_CONSUMER,
  AGENT_MESSAGE_KINDS,
  AGENT_STREAM,
  agentSubject,
  commandSubject,
  controlSubject,
  EVENT_STREAM,
  eventSubject,
  LIVE_SUBJECTS,
  REJECTED_STREAM,
  rejectedSubject,
  WORK_STREAM,
  workSubject,
} from '../../contracts/messages/subjects.ts';

type Json = Record<string, unknown>;

interface Channel {
  readonly name: string;
  readonly address: string;
  readonly title: string;
  readonly description: string;
  /** As Signalbox sees it. */
  readonly action: 'send' | 'receive';
  readonly jetstream?: Json;
  readonly messages: readonly Message[];
}

interface Message {
  readonly name: string;
  readonly contentType?: string;
  readonly summary: string;
  readonly payload: Json;
}

const SUMMARIES: Readonly<Record<(typeof AGENT_MESSAGE_KINDS)[number], string>> = {
  announce: 'A worker of a remote agent is there.',
  heartbeat: 'A worker lives, and works on this; `offline` is a goodbye.',
  status: 'How the attempt goes. The first `working` asks whether the worker may begin.',
  output: 'Something that the attempt has brought.',
  comment: 'A remark for the people and agents that look at the task.',
  log: "A piece of what the attempt's process has printed.",
  result: 'The attempt is over.',
};

/** Where the first letter is free to be anything. */
const PARAMETERS: Readonly<Record<string, string>> = {
  project: 'Id of the project; `_system` where it is about none.',
  task: 'Id of the task.',
  attempt: 'Number of the attempt, 1 for the first.',
  agent: 'Id of the agent.',
  queue: '`agent:<id>` for the tasks of one agent, `type:<name>` for those of one type.',
  event: 'The event, such as `claimed` or `attempt_started`.',
  operation: 'The name of the operation, such as `createTask`; `$SRV.INFO.signalbox` lists them all.',
};

export function channels(): readonly Channel[] {
  const at = { project: '{project}', task: '{task}', attempt: '{attempt}', agent: '{agent}' };
  const taskEvent = eventSubject({ project: at.project, entity: 'task', id: at.task, name: '{event}' });
  const agentEvent = eventSubject({ project: '_system', entity: 'agent', id: at.agent, name: '{event}' });
  const queueEvent = eventSubject({ project: '_system', entity: 'queue', id: '{queue}', name: '{event}' });
  const supervisorEvent = eventSubject({
    project: '_system',
    entity: 'supervisor',
    id: 'supervisor',
    name: '{event}',
  });
  const events = (matches: (type: EventType) => boolean): Message[] =>
    EVENT_TYPES.filter(matches).map(eventMessage);
  const log = { stream: EVENT_STREAM, republished: LIVE_SUBJECTS };
  return [
    {
      name: 'taskEvents',
      address: taskEvent,
      title: 'Events of tasks and their attempts',
      description:
        'One message is one transition. Follow `signalbox.v1.live.…`, on which the server republishes what it has stored.',
      action: 'send',
      jetstream: log,
      messages: events((type) => type.startsWith('task.') || type.startsWith('attempt.')),
    },
    {
      name: 'agentEvents',
      address: agentEvent,
      title: 'Events of agents',
      description: 'Registered, paused, parked, connected, disconnected.',
      action: 'send',
      jetstream: log,
      messages: events((type) => type.startsWith('agent.')),
    },
    {
      name: 'queueEvents',
      address: queueEvent,
      title: 'Events of queues',
      description: 'Paused, resumed.',
      action: 'send',
      jetstream: log,
      messages: events((type) => type.startsWith('queue.')),
    },
    {
      name: 'supervisorEvents',
      address: supervisorEvent,
      title: 'Events of Signalbox itself',
      description: 'Its starts and stops.',
      action: 'send',
      jetstream: log,
      messages: events((type) => type.startsWith('supervisor.')),
    },
    {
      name: 'commands',
      address: commandSubject(at.project, '{operation}'),
      title: 'Commands',
      description:
        'Request and reply: what HTTP can do, as a NATS micro service. The payload is a JSON object with what the path names beside the project, and the query or the body.',
      action: 'receive',
      messages: [
        {
          name: 'command',
          summary: 'As the operation of the same name over HTTP.',
          payload: { type: 'object' },
        },
      ],
    },
    ...AGENT_MESSAGE_KINDS.map(
      (kind): Channel => ({
        name: `agent_${kind}`,
        address: agentSubject(at.agent, kind),
        title: `Agents say: ${kind}`,
        description: SUMMARIES[kind],
        action: 'receive',
        jetstream: { stream: AGENT_STREAM, consumer: AGENT_CONSUMER, retention: 'workqueue' },
        messages: [
          {
            name: kind,
            summary: SUMMARIES[kind],
            payload: payloadOf(kind, agentMessageSchemas[kind], 'input'),
          },
        ],
      }),
    ),
    {
      name: 'answers',
      address: controlSubject(at.agent, 'answer'),
      title: 'Agents are told: answer',
      description: 'What became of a message, by its id. Not stored.',
      action: 'send',
      messages: [
        { name: 'answer', summary: 'What became of a message.', payload: payloadOf('answer', answerSchema) },
      ],
    },
    {
      name: 'cancellations',
      address: controlSubject(at.agent, 'cancel'),
      title: 'Agents are told: cancel',
      description: 'An attempt is to be stopped. Not stored: the answer to the next heartbeat says it again.',
      action: 'send',
      messages: [
        { name: 'cancel', summary: 'Stop this attempt.', payload: payloadOf('cancel', cancelSchema) },
      ],
    },
    {
      name: 'work',
      address: workSubject(at),
      title: 'The queues of remote agents',
      description:
        'One message a job, read by the consumer that has the name of the agent, and acknowledged when it is done.',
      action: 'send',
      jetstream: { stream: WORK_STREAM, consumer: '{agent}', retention: 'workqueue' },
      messages: [
        {
          name: 'job',
          summary: 'A job, with the token of its attempt.',
          payload: payloadOf('job', jobSchema),
        },
      ],
    },
    {
      name: 'rejected',
      address: rejectedSubject(at.agent),
      title: 'Messages that were refused',
      description: 'The newest hundred of each agent.',
      action: 'send',
      jetstream: { stream: REJECTED_STREAM },
      messages: [
        {
          name: 'rejection',
          summary: 'Which, and why.',
          payload: payloadOf('rejection', rejectionRecordSchema),
        },
      ],
    },
  ];
}

/** The document, as plain data. */
export function asyncApi(version: string): Json {
  const all = channels();
  const messages = all.flatMap((channel) => channel.messages);
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Signalbox over NATS',
      version,
      description:
        'Events are CloudEvents 1.0 in structured mode. docs/reference/nats.md says how it all fits together.',
    },
    servers: { local: { host: 'localhost:4222', protocol: 'nats' } },
    channels: Object.fromEntries(all.map((channel) => [channel.name, channelObject(channel)])),
    operations: Object.fromEntries(all.map((channel) => [`on_${channel.name}`, operationObject(channel)])),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, messageObject(message)])),
    },
  };
}

function channelObject({ address, title, description, messages, jetstream }: Channel): Json {
  const parameters = Object.fromEntries(
    [...address.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, { description: PARAMETERS[name] }]),
  );
  return {
    address,
    title,
    description,
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    messages: Object.fromEntries(
      messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
    ...(jetstream === undefined ? {} : { 'x-jetstream': jetstream }),
  };
}

function operationObject({ name, action, title, messages }: Channel): Json {
  return {
    action,
    title,
    channel: { $ref: `#/channels/${name}` },
    messages: messages.map((message) => ({ $ref: `#/channels/${name}/messages/${message.name}` })),
  };
}

function messageObject({ name, contentType = 'application/json', summary, payload }: Message): Json {
  return { name, title: name, summary, contentType, payload };
}

function eventMessage(type: EventType): Message {
  const name = type.replace('.', '_');
  const at = `#/components/messages/${name}/payload/properties/data/properties/event`;
  const data = schemaAt({ schema: declarationOf(type).schema, at });
  return {
    name,
    contentType: 'application/cloudevents+json',
    summary: `CloudEvent \`dev.signalbox.${type}.v1\``,
    payload: {
      type: 'object',
      required: ['specversion', 'id', 'source', 'type', 'time', 'actor', 'previoushash', 'data'],
      properties: {
        specversion: { const: '1.0' },
        id: { type: 'string' },
        source: { type: 'string', description: '`/projects/<project>`' },
        type: { const: `dev.signalbox.${type}.v1` },
        subject: { type: 'string' },
        time: { type: 'string', format: 'date-time' },
        datacontenttype: { const: 'application/json' },
        actor: { type: 'string', description: 'Who caused it: `supervisor`, `agent:<id>`, `user:<name>`.' },
        cause: { type: 'string' },
        previoushash: { type: 'string', description: 'SHA-256 of the message before this one in the log.' },
        data: {
          type: 'object',
          properties: { event: data, transitions: { type: 'array', items: { type: 'object' } } },
        },
      },
    },
  };
}

interface PlacedSchema {
  readonly schema: z.ZodType;
  /** Where it stands in the document: references in it begin there. */
  readonly at: string;
  readonly io?: 'input' | 'output';
}

/** JSON Schema, without the name of its dialect: that is the document's. */
function schemaAt({ schema, at, io = 'output' }: PlacedSchema): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return JSON.parse(JSON.stringify(rest).replaceAll('"$ref":"#', `"$ref":"${at}`)) as Json;
}

function payloadOf(name: string, schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  return schemaAt({ schema, io, at: `#/components/messages/${name}/payload` });
}
