/**
 * The rooms of the source tree and what each may import: the only place that says so.
 *
 *     node scripts/layers.mjs [--root FOLDER]   checks every import (part of `npm run lint`)
 *     node scripts/layers.mjs --write           brings the table in docs/explanation/architecture.md up to date
 *
 * A room imports only rooms above it in the table, so rooms cannot form a cycle; Biome refuses cycles between files.
 * Importing a type counts like any other import, except for the rooms under `types`.
 *
 * Why not dependency-cruiser: version 18 needs Node.js 22 and the JavaScript API of TypeScript 6 or older. Vite's
 * parser is installed anyway and reads the sources as they are.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';

const SMALL = ['base', 'version', 'contracts'];
const CORE = [...SMALL, 'machines', 'projections', 'journal', 'process', 'workspaces', 'drivers'];
const FEATURES = ['features/audit', 'features/webhooks', 'features/telemetry', 'features/background'];
const PARTS = [
  ...CORE,
  'config',
  'engine',
  'app',
  ...FEATURES,
  'operations',
  'http',
  'nats',
  'client',
  'worker',
];

/** A pure room imports nothing of `node:`, and of `base` only what needs nothing of it either. */
const ROOMS = [
  { name: 'base', path: 'src/base', imports: [], holds: 'small tools without dependencies' },
  { name: 'version', path: 'src/version.ts', imports: [], holds: 'the version of the package' },
  {
    name: 'contracts',
    path: 'src/contracts',
    pure: true,
    imports: ['base'],
    holds: 'ids, events, requests, answers, messages and errors: schemas and their types',
  },
  {
    name: 'machines',
    path: 'machines',
    pure: true,
    imports: ['base', 'contracts'],
    holds: 'the states of task, attempt, agent, queue, schedule, budget and supervisor',
  },
  {
    name: 'projections',
    path: 'projections',
    pure: true,
    imports: ['base', 'contracts'],
    holds: 'what is shown of the log: pure folds',
  },
  {
    name: 'journal',
    path: 'src/journal',
    imports: SMALL,
    holds: 'the event log: order, one writer, reading, erasing, lease',
  },
  {
    name: 'process',
    path: 'src/process',
    imports: SMALL,
    holds: 'starting, finding, watching and killing processes',
  },
  {
    name: 'workspaces',
    path: 'src/workspaces',
    imports: [...SMALL, 'process'],
    holds: 'worktrees of git in which agents work: made, compared, merged, removed',
  },
  {
    name: 'drivers',
    path: 'src/drivers',
    imports: [...SMALL, 'process'],
    holds: 'how each kind of agent is started and its output understood',
  },
  { name: 'config', path: 'src/config', imports: [...SMALL, 'drivers'], holds: 'the configuration file' },
  { name: 'engine', path: 'src/engine', imports: CORE, holds: 'commit pipeline, supervisor and replay' },
  {
    name: 'app',
    path: 'src/app',
    imports: [...CORE, 'engine'],
    holds: 'the use cases; `app/engine` composes them with the engine, without a network',
  },
  {
    name: 'features/audit',
    path: 'src/features/audit',
    imports: [...CORE, 'engine', 'app'],
    holds: 'verification, checkpoints, bundles, reports',
  },
  {
    name: 'features/webhooks',
    path: 'src/features/webhooks',
    imports: [...CORE, 'engine', 'app'],
    holds: 'events sent to other services',
  },
  {
    name: 'features/telemetry',
    path: 'src/features/telemetry',
    imports: [...CORE, 'engine', 'app'],
    holds: 'spans from the log, sent to a collector',
  },
  {
    name: 'features/background',
    path: 'src/features/background',
    imports: [...CORE, 'engine', 'app'],
    holds: 'background commands for an LLM loop',
  },
  {
    name: 'operations',
    path: 'src/operations',
    imports: ['base', 'contracts'],
    types: ['projections', 'engine', 'app', ...FEATURES],
    holds: 'every operation as data, with its handler; access',
  },
  {
    name: 'client',
    path: 'src/client',
    imports: [...SMALL, 'operations'],
    holds: 'the typed client and the MCP server',
  },
  {
    name: 'http',
    path: 'src/http',
    imports: [...SMALL, 'engine', 'app', 'operations'],
    types: ['client'],
    holds: 'the HTTP adapter, and what only HTTP has',
  },
  {
    name: 'nats',
    path: 'src/nats',
    imports: [...CORE, 'engine', 'app', 'operations'],
    holds: 'the NATS adapter, and the queues of remote agents',
  },
  {
    name: 'worker',
    path: 'src/worker',
    imports: [...SMALL, 'process', 'drivers', 'client'],
    holds: 'runs an agent on another machine',
  },
  {
    name: 'daemon/embedded',
    path: 'src/daemon/embedded',
    imports: [...SMALL, 'journal', 'process', 'nats'],
    holds: 'the nats-server that Signalbox starts',
  },
  {
    name: 'daemon',
    path: 'src/daemon',
    imports: [...PARTS, 'daemon/embedded'],
    holds: 'puts NATS, lease, engine, features and adapters together',
  },
  { name: 'library', path: 'src/index.ts', imports: [...PARTS, 'daemon'], holds: 'what a program imports' },
  {
    name: 'cli',
    path: 'src/cli',
    imports: [...PARTS, 'daemon/embedded', 'daemon'],
    holds: 'the command line',
  },
  {
    name: 'web',
    path: 'web',
    pure: true,
    imports: ['base', 'contracts'],
    types: ['operations'],
    holds: 'the dashboard',
  },
];

const ARCHITECTURE = 'docs/explanation/architecture.md';
const BEGIN = '<!-- rooms: written by "node scripts/layers.mjs --write" -->\n';
const END = '<!-- end of rooms -->';

const HERE = fileURLToPath(import.meta.url);

main(process.argv.slice(2));

function main(args) {
  const root = args[0] === '--root' ? resolve(args[1] ?? '.') : dirname(dirname(HERE));
  if (args[0] === '--write') return writeFileSync(join(root, ARCHITECTURE), withTable(root));
  const problems = [...problemsOfTable(), ...sourcesIn(root).flatMap((file) => problemsOf(root, file))];
  if (args[0] !== '--root' && readFileSync(join(root, ARCHITECTURE), 'utf8') !== withTable(root)) {
    problems.push(
      `${ARCHITECTURE}: its table of rooms is out of date: run "node scripts/layers.mjs --write"`,
    );
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

/** A room may name only rooms above it. */
function problemsOfTable() {
  return ROOMS.flatMap(({ name, imports, types = [] }, place) =>
    [...imports, ...types]
      .filter((other) => !ROOMS.slice(0, place).some((above) => above.name === other))
      .map(
        (other) =>
          `scripts/layers.mjs: ${name} names ${other}, which does not stand above it: move one of them`,
      ),
  );
}

function problemsOf(root, file) {
  const room = roomOf(file);
  if (!room) return [`${file}: belongs to no room: move it, or add a room to scripts/layers.mjs`];
  return importsOf(join(root, file)).flatMap(({ from, typeOnly }) => {
    const path = from.startsWith('.') ? relative(root, resolve(root, dirname(file), from)) : from;
    if (room.pure && !typeOnly && needsNode(root, path)) {
      return [
        `${file}: imports ${from}, but ${room.name} is pure: have the caller pass in what it needs of Node.js`,
      ];
    }
    const target = from.startsWith('.') ? roomOf(path) : undefined;
    if (!target || target === room || room.imports.includes(target.name)) return [];
    if (typeOnly && room.types?.includes(target.name)) return [];
    const rule = room.types?.includes(target.name) ? 'may import only types of' : 'must not import';
    return [
      `${file}: imports ${from}, but ${room.name} ${rule} ${target.name}: pass it in from a room above both, or move what both need to a room below (table in scripts/layers.mjs)`,
    ];
  });
}

/** Whether this is a module of Node.js, or a file of `base` that imports one. */
function needsNode(root, path) {
  if (path.startsWith('node:')) return true;
  if (roomOf(path)?.name !== 'base') return false;
  return importsOf(join(root, path)).some(({ from, typeOnly }) => {
    return !typeOnly && needsNode(root, from.startsWith('.') ? join(dirname(path), from) : from);
  });
}

function roomOf(file) {
  return ROOMS.filter(({ path }) => file === path || file.startsWith(`${path}/`)).sort(
    (a, b) => b.path.length - a.path.length,
  )[0];
}

/** Every module that a file names: imports, re-exports, `import()` and `import('…').Type`. */
function importsOf(path) {
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node?.type !== 'string') return;
    const from = node.source?.value;
    if (typeof from === 'string') found.push({ from, typeOnly: isTypeOnly(node) });
    for (const child of Object.values(node)) if (typeof child === 'object') visit(child);
  };
  visit(parseAst(readFileSync(path, 'utf8'), { lang: path.endsWith('x') ? 'tsx' : 'ts' }).body);
  return found;
}

function isTypeOnly(node) {
  return (node.importKind ?? node.exportKind) === 'type' || node.type === 'TSImportType';
}

function sourcesIn(root) {
  const filesIn = (folder) =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesIn(path);
      return /\.tsx?$/.test(path) && !path.endsWith('.config.ts') ? [path] : [];
    });
  const folders = new Set(readdirSync(root));
  return ['machines', 'projections', 'src', 'web'].filter((folder) => folders.has(folder)).flatMap(filesIn);
}

/** The text of architecture.md with the table of this version. */
function withTable(root) {
  const text = readFileSync(join(root, ARCHITECTURE), 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`${ARCHITECTURE} has no place for the table of rooms: ${BEGIN.trim()}`);
  return text.slice(0, begin + BEGIN.length) + table() + text.slice(end);
}

function table() {
  const rows = ROOMS.map(({ name, path, holds, imports, types = [], pure }) => {
    const may = imports.length > 8 ? shortened(imports) : imports.join(', ');
    const onlyTypes = types.length > 0 ? `; types only: ${types.join(', ')}` : '';
    return `| ${name} | \`${path}\` | ${holds} | ${may || 'nothing'}${onlyTypes}${pure ? '; nothing of `node:`' : ''} |`;
  });
  return ['| room | where | what it holds | may import |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

/** "all above but …", for a room that may import most of what stands above it. */
function shortened(imports) {
  const last = ROOMS.findIndex(({ name }) => name === imports.at(-1));
  const left = ROOMS.slice(0, last).filter(({ name }) => !imports.includes(name));
  const but = left.length > 0 ? ` but ${left.map(({ name }) => name).join(', ')}` : '';
  return `all up to ${imports.at(-1)}${but}`;
}
