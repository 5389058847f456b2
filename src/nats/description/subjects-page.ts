/** docs/reference/subjects.md: the subjects, for people. Made of the same declarations as the AsyncAPI document. */
import { channels } from './asyncapi.ts';

const HEAD = `# Subjects

Made by \`npm run docs:subjects\` from \`src/contracts/messages/subjects.ts\` and the schemas; do not edit. The full schemas are in
[asyncapi.json](asyncapi.json); [nats.md](nats.md) says how to use them.

| subject | who publishes | what | stream |
| --- | --- | --- | --- |
`;

export function subjectsPage(): string {
  const all = channels();
  const rows = all.map(({ address, action, title, description, jetstream }) => {
    const who = action === 'send' ? 'Signalbox' : 'others';
    const stream = jetstream === undefined ? '' : `\`${String(jetstream.stream)}\``;
    return `| \`${address}\` | ${who} | ${title}. ${description} | ${stream} |\n`;
  });
  const sections = all
    .filter(({ name }) => name !== 'commands')
    .map(({ title, address, messages }) => {
      const parts = messages.map(
        ({ name, payload, summary }) => `- **${name}**: ${summary}${fieldsOf(payload)}\n`,
      );
      return `\n## ${title}\n\n\`${address}\`\n\n${parts.join('')}`;
    });
  return `${HEAD}${rows.join('')}${sections.join('')}`;
}

/** The fields of a message, or of the event in it; those that may be left out with a question mark. */
function fieldsOf(payload: Readonly<Record<string, unknown>>): string {
  const own = objectIn(payload);
  const event = objectIn(objectIn(own.properties?.data).properties?.event);
  const { properties = {}, required = [] } = event.properties ? event : own;
  const names = Object.keys(properties).map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`);
  return names.length === 0 ? '' : `\n  ${names.join(', ')}`;
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function objectIn(schema: unknown): ObjectSchema {
  return typeof schema === 'object' && schema !== null ? (schema as ObjectSchema) : {};
}
