/** docs/reference/subjects.md: the subjects, for people, from the same declarations as the AsyncAPI document. */
import { SchemaBook } from '../../operations/schemas.ts';
import { commands } from './asyncapi.ts';
import { type Channel, channels, type Message } from './channels.ts';

const HEAD = `# Subjects

Made by \`npm run docs\` from \`src/contracts/messages/subjects.ts\`, the operations and the schemas; do not edit. The full
schemas are in [asyncapi.json](asyncapi.json); [nats.md](nats.md) explains how to use them.

| subject | published by | what | stream |
| --- | --- | --- | --- |
`;

const COMMANDS = `
## Commands

Request and reply: a NATS micro service with the operations of HTTP, under the same names. The payload is one JSON object.
Fields that may be left out have a question mark.

| subject | what | payload |
| --- | --- | --- |
`;

export function subjectsPage(): string {
  const rows = channels().map(({ address, action, title, description, jetstream }) => {
    const publisher = action === 'send' ? 'Signalbox' : 'agents';
    const stream = jetstream === undefined ? '' : `\`${String(jetstream.stream)}\``;
    return `| \`${address}\` | ${publisher} | ${title}. ${description} | ${stream} |\n`;
  });
  const book = new SchemaBook();
  const described = commands(book).map(({ channel: { address, description, messages } }) => {
    const fields = messages.map(({ payload }) => fieldsOf(payload)).join('');
    return `| \`${address}\` | ${description} | ${fields} |\n`;
  });
  return `${HEAD}${rows.join('')}${COMMANDS}${described.join('')}${channels().map(sectionOf).join('')}`;
}

function sectionOf({ title, address, messages }: Channel): string {
  return `\n## ${title}\n\n\`${address}\`\n\n${messages.map(partOf).join('')}`;
}

function partOf({ name, payload, summary }: Message): string {
  const fields = fieldsOf(payload);
  return `- **${name}**: ${summary}${fields === '' ? '' : `\n  ${fields}`}\n`;
}

/** The fields of a message, or of the event in it; those that may be left out with a question mark. */
function fieldsOf(payload: Readonly<Record<string, unknown>>): string {
  const own = objectIn(payload);
  const event = objectIn(objectIn(own.properties?.data).properties?.event);
  const { properties = {}, required = [] } = event.properties ? event : own;
  const names = Object.keys(properties).map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`);
  return names.join(', ');
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function objectIn(schema: unknown): ObjectSchema {
  return typeof schema === 'object' && schema !== null ? schema : {};
}
