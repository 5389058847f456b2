/** docs/reference/configuration.md, from the schema of the configuration. */
import { z } from 'zod';
import { cell, table } from './markdown.ts';

const HEAD = `# Configuration

Here you find every key of \`signalbox.config.yaml\`. Written from the schema by \`npm run docs\`; do not edit.

Every key may be left out, and so may the file. An unknown key is an error, and so is a repeated one; an alias
(\`*name\`) stands for a whole value, and maps are not merged (\`<<\`). Times are in seconds, with fractions; relative paths
start from the current directory. \`signalbox config check\` names the line and the key of each problem.

An option of the command line wins over a variable of the environment, and a variable over the file.
`;

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

export function configurationPage(schema: z.ZodType): string {
  const root: Node = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
  );
  const sections = Object.entries(root.properties ?? {}).filter(([key]) => key !== '$schema');
  const single = sections.filter(([, node]) => rowsOf('', node).length === 0 && key(node) === null);
  return [
    HEAD,
    '## Top level\n',
    table(
      ['key', 'meaning', 'default'],
      single.map(([name, node]) => rowOf(name, node)),
    ),
    ...sections.filter(([name]) => !single.some(([other]) => other === name)).map(sectionOf),
  ].join('\n');
}

/** The values of a section with ids as keys, such as `agents`. */
function key({ additionalProperties }: Node): Node | null {
  return typeof additionalProperties === 'object' ? additionalProperties : null;
}

function sectionOf([name, node]: readonly [string, Node]): string {
  const head = `## ${name}\n\n${node.description ?? ''}\n`;
  const item = key(node);
  if (item === null) return `${head}\n${tableOf(rowsOf('', node))}`;
  const kinds = item.oneOf ?? item.anyOf ?? [item];
  if (kinds.length === 1) return `${head}\n${tableOf(rowsOf('', kinds[0] ?? {}))}`;
  // Kinds of agents: what they share first, then what each has of its own.
  const all = kinds.map((kind) => ({ name: driverOf(kind), rows: rowsOf('', kind) }));
  const shared = (all[0]?.rows ?? []).filter((row) =>
    all.every(({ rows }) => rows.some((other) => same(other, row))),
  );
  const own = all.map(({ name: driver, rows }) => {
    const rest = rows.filter((row) => !shared.some((other) => same(other, row)));
    return `### ${name} with driver ${driver}\n\n${tableOf(rest)}`;
  });
  return [`${head}\nEvery agent has these keys:\n\n${tableOf(shared)}`, ...own].join('\n');
}

function driverOf({ properties }: Node): string {
  const driver = properties?.driver;
  const names = driver?.enum ?? (driver?.const === undefined ? [] : [driver.const]);
  return names.length > 0 ? names.join(', ') : 'declared in `drivers`';
}

type Row = readonly [key: string, meaning: string, standard: string];

function same(a: Row, b: Row): boolean {
  return a.every((text, index) => text === b[index]);
}

function tableOf(rows: readonly Row[]): string {
  return table(['key', 'meaning', 'default'], rows);
}

/** Keys of keys are written with a dot. */
function rowsOf(prefix: string, { properties = {}, required = [] }: Node): Row[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const below = rowsOf(`${prefix}${name}.`, node);
    return below.length > 0 ? below : [rowOf(`${prefix}${name}`, node, required.includes(name))];
  });
}

function rowOf(name: string, node: Node, isRequired = false): Row {
  const values = node.enum ? ` One of ${node.enum.map((value) => `\`${String(value)}\``).join(', ')}.` : '';
  const standard = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
  return [
    `\`${name}\``,
    cell(`${node.description ?? ''}${values}`.trim()),
    isRequired ? 'required' : standard,
  ];
}
