/** The NATS channels beside the commands: subjects, streams and messages, from the schemas that the code uses. */
import { z } from 'zod';
import { declarationOf, EVENT_TYPES, type EventType } from '../../contracts/events/events.ts';
import { SYSTEM_PROJECT } from '../../contracts/ids.ts';
import {
  agentMessageSchemas,
  answerSchema,
  cancelSchema,
  jobSchema,
} from '../../contracts/messages/agent-messages.ts';
import { rejectionRecordSchema } from '../../contracts/messages/rejections.ts';
import {
  AGENT_CONSUMER,
  AGENT_MESSAGE_KINDS,
  AGENT_STREAM,
  agentSubject,
  controlSubject,
  EVENT_STREAM,
  eventSubject,
  LIVE_SUBJECTS,
  REJECTED_STREAM,
  rejectedSubject,
  WORK_STREAM,
  workSubject,
} from '../../contracts/messages/subjects.ts';

export type Json = Record<string, unknown>;

export interface Channel {
  readonly name: string;
  readonly address: string;
  readonly title: string;
  readonly description: string;
  /** From the view of Signalbox. */
  readonly action: 'send' | 'receive';
  readonly jetstream?: Json;
  readonly messages: readonly Message[];
}

export interface Message {
  readonly name: string;
  readonly contentType?: string;
  readonly summary: string;
  readonly payload: Json;
}

const AT = { project: '{project}', task: '{task}', attempt: '{attempt}', agent: '{agent}' } as const;

const SUMMARIES: Readonly<Record<(typeof AGENT_MESSAGE_KINDS)[number], string>> = {
  announce: 'A worker of a remote agent has started.',
  heartbeat: 'A worker is alive and works on these attempts; `offline` announces its stop.',
  status: 'The status of an attempt. The first `working` asks whether the worker may begin.',
  output: 'An output of the attempt.',
  comment: 'A comment for the people and agents that read the task.',
  question: 'A question of the attempt, or the request for its answer. The answer has both.',
  withdrawal: 'The agent no longer waits for an answer to a question. The answer has the one that counts.',
  log: "A part of what the attempt's process has printed.",
  result: 'The attempt is over.',
};

export function channels(): readonly Channel[] {
  return [...eventChannels(), ...agentChannels(), ...controlChannels(), ...queueChannels()];
}

function eventChannels(): Channel[] {
  const rows = [
    {
      name: 'taskEvents',
      entity: 'task',
      id: AT.task,
      types: /^(task|attempt|workspace)\./,
      title: 'Events of tasks, their attempts and their workspaces',
      description:
        'Events that were decided together are one message, and its subject names each of them: `created.claimed`. Follow ' +
        '`signalbox.v1.live.…`, on which the server republishes what it has stored.',
    },
    {
      name: 'agentEvents',
      entity: 'agent',
      id: AT.agent,
      types: /^agent\./,
      title: 'Events of agents',
      description: 'Registered, paused, parked, connected, disconnected.',
    },
    {
      name: 'queueEvents',
      entity: 'queue',
      id: '{queue}',
      types: /^queue\./,
      title: 'Events of queues',
      description: 'Paused, resumed.',
    },
    {
      name: 'scheduleEvents',
      entity: 'schedule',
      id: '{schedule}',
      types: /^schedule\./,
      title: 'Events of schedules',
      description: 'Created, fired, skipped, paused.',
    },
    {
      name: 'budgetEvents',
      entity: 'budget',
      id: '{budget}',
      types: /^budget\./,
      title: 'Events of budgets',
      description: 'Set, warned, used up, raised, renewed.',
    },
    {
      name: 'supervisorEvents',
      entity: 'supervisor',
      id: 'supervisor',
      types: /^supervisor\./,
      title: 'Events of Signalbox itself',
      description: 'Its starts and stops, keys and checkpoints.',
    },
  ] as const;
  return rows.map(({ entity, id, types, ...row }) => ({
    ...row,
    address: eventSubject({
      project: entity === 'task' ? AT.project : SYSTEM_PROJECT,
      entity,
      id,
      name: '{event}',
    }),
    action: 'send',
    jetstream: { stream: EVENT_STREAM, republished: LIVE_SUBJECTS },
    messages: EVENT_TYPES.filter((type) => types.test(type)).map(eventMessage),
  }));
}

function agentChannels(): Channel[] {
  return AGENT_MESSAGE_KINDS.map((kind) => ({
    name: `agent_${kind}`,
    address: agentSubject(AT.agent, kind),
    title: `Message of an agent: ${kind}`,
    description: SUMMARIES[kind],
    action: 'receive',
    jetstream: { stream: AGENT_STREAM, consumer: AGENT_CONSUMER, retention: 'workqueue' },
    messages: [
      { name: kind, summary: SUMMARIES[kind], payload: payloadOf(kind, agentMessageSchemas[kind], 'input') },
    ],
  }));
}

function controlChannels(): Channel[] {
  return [
    {
      name: 'answers',
      address: controlSubject(AT.agent, 'answer'),
      title: 'Message to an agent: answer',
      description: 'The answer to a message, by its id. Not stored.',
      action: 'send',
      messages: [
        { name: 'answer', summary: 'The answer to a message.', payload: payloadOf('answer', answerSchema) },
      ],
    },
    {
      name: 'cancellations',
      address: controlSubject(AT.agent, 'cancel'),
      title: 'Message to an agent: cancel',
      description: 'An attempt must be stopped. Not stored: the answer to the next heartbeat repeats it.',
      action: 'send',
      messages: [
        { name: 'cancel', summary: 'Stop this attempt.', payload: payloadOf('cancel', cancelSchema) },
      ],
    },
  ];
}

function queueChannels(): Channel[] {
  return [
    {
      name: 'work',
      address: workSubject(AT),
      title: 'Queues of remote agents',
      description:
        "One message is one job. The consumer with the agent's name reads it, and acknowledges it when the job is done.",
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
      address: rejectedSubject(AT.agent),
      title: 'Rejected messages',
      description: 'The newest hundred of each agent.',
      action: 'send',
      jetstream: { stream: REJECTED_STREAM },
      messages: [
        {
          name: 'rejection',
          summary: 'Which message was rejected, and why.',
          payload: payloadOf('rejection', rejectionRecordSchema),
        },
      ],
    },
  ];
}

function eventMessage(type: EventType): Message {
  const name = type.replace('.', '_');
  const at = `#/components/messages/${name}/payload/properties/data/properties/event`;
  const event = schemaAt(declarationOf(type).schema, at, 'output');
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
          properties: {
            event,
            transitions: { type: 'array', items: { type: 'object' } },
            also: {
              type: 'array',
              description:
                'Further events of the task that were decided with it, in their order: each with `type`, `actor`, `event` and `transitions`.',
              items: { type: 'object' },
            },
          },
        },
      },
    },
  };
}

function payloadOf(name: string, schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  return schemaAt(schema, `#/components/messages/${name}/payload`, io);
}

/** JSON Schema without the name of its dialect, which is the document's. @param at its place: references begin there */
function schemaAt(schema: z.ZodType, at: string, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return JSON.parse(JSON.stringify(rest).replaceAll('"$ref":"#', `"$ref":"${at}`));
}
