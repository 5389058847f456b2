/** The AsyncAPI 3.1 document: the NATS channels, and a command for each operation. */
import { problemSchema } from '../../contracts/api/system-answers.ts';
import { PROBLEM_TYPE } from '../../operations/errors.ts';
import { OPERATIONS } from '../../operations/index.ts';
import { type Operation, takesBody } from '../../operations/operation.ts';
import { SchemaBook } from '../../operations/schemas.ts';
import { commandOf, isCommand } from '../command.ts';
import { type Channel, channels, type Json, type Message } from './channels.ts';

const PARAMETERS: Readonly<Record<string, string>> = {
  project: 'Id of the project.',
  task: 'Id of the task.',
  attempt: 'Number of the attempt, 1 for the first.',
  agent: 'Id of the agent.',
  queue: '`agent:<id>` for the tasks of one agent, `type:<name>` for those of one type.',
  event: 'The event, such as `claimed` or `attempt_started`.',
};

/** An operation as AsyncAPI describes it: the channel of the request, and the messages of the reply. */
export interface DescribedCommand {
  readonly channel: Channel;
  readonly answer: Message;
}

const PROBLEM = 'problem';

/** The commands, in the order of the operations. */
export function commands(book: SchemaBook): DescribedCommand[] {
  return OPERATIONS.filter(isCommand).map((operation: Operation) => {
    const { name, summary } = operation;
    return {
      channel: {
        name,
        address: commandOf(operation, '{project}').subject,
        title: name,
        description: `${summary}.`,
        action: 'receive',
        messages: [{ name, summary: `Input of ${name}.`, payload: inputOf(operation, book) }],
      },
      answer: { name: `${name}_answer`, summary: `Answer to ${name}.`, ...answerOf(operation, book) },
    };
  });
}

/** The document, as plain data. */
export function asyncApi(version: string): Json {
  const book = new SchemaBook();
  const described = commands(book);
  const all = [...described.map(({ channel }) => channel), ...channels()];
  const replies: Message[] = [
    ...described.map(({ answer }) => answer),
    {
      name: PROBLEM,
      summary: 'Why a command was refused.',
      contentType: PROBLEM_TYPE,
      payload: book.answer(problemSchema),
    },
  ];
  const messages = [...all.flatMap((channel) => channel.messages), ...replies];
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Signalbox over NATS',
      version,
      description:
        'Events are CloudEvents 1.0 in structured mode. Commands are request and reply: a NATS micro service with the operations of HTTP, under the same names. docs/reference/nats.md explains how they are used.',
    },
    servers: { local: { host: 'localhost:4222', protocol: 'nats' } },
    channels: {
      ...byName(all, channelObject),
      replies: { address: null, title: 'Replies to commands', messages: byName(replies, messageRef) },
    },
    operations: {
      ...byName(
        described.map(({ channel }) => channel),
        (channel) => ({
          ...operationObject(channel),
          reply: {
            address: { location: '$message.header#/reply', description: 'The reply subject of the request.' },
            channel: { $ref: '#/channels/replies' },
            messages: [`${channel.name}_answer`, PROBLEM].map((name) => ({
              $ref: `#/channels/replies/messages/${name}`,
            })),
          },
        }),
      ),
      ...Object.fromEntries(channels().map((channel) => [`on_${channel.name}`, operationObject(channel)])),
    },
    components: {
      messages: byName(messages, messageObject),
      schemas: book.components,
    },
  };
}

/** Path parameters beside the project, and the query or the body, in one object. */
function inputOf(operation: Operation, book: SchemaBook): Json {
  const { input } = operation;
  const { params } = commandOf(operation);
  const fields = book.object(takesBody(operation) ? input.body : input.query);
  const named = book.object(input.params);
  const properties = {
    ...Object.fromEntries(params.map((name) => [name, named.properties[name]])),
    ...fields.properties,
  };
  return {
    type: 'object',
    properties,
    required: [...params, ...fields.required],
    additionalProperties: false,
  };
}

function answerOf({ answers }: Operation, book: SchemaBook): Pick<Message, 'payload' | 'contentType'> {
  const [first] = Object.values(answers);
  if (first?.schema) return { payload: book.answer(first.schema) };
  return { payload: { type: 'string' }, ...(first?.mediaType && { contentType: first.mediaType }) };
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
    messages: byName(messages, messageRef),
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

function messageRef({ name }: Message): Json {
  return { $ref: `#/components/messages/${name}` };
}

function messageObject({ name, contentType = 'application/json', summary, payload }: Message): Json {
  return { name, title: name, summary, contentType, payload };
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
  describe: (item: Item) => Json,
): Json {
  return Object.fromEntries(items.map((item) => [item.name, describe(item)]));
}
