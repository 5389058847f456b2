/** `signalbox init`: writes a configuration with the agents that this machine has. */
import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { wholeNumber } from '../../base/plain-number.ts';
import { hasCode, SignalboxError } from '../../contracts/errors.ts';
import { PACKAGE_ROOT } from '../../version.ts';
import type { CommandRow } from '../command.ts';
import type { Terminal } from '../terminal.ts';

interface InitOptions {
  readonly port: string;
  readonly force?: true;
}

interface Tool {
  /** The name of its driver and of its program. */
  readonly name: string;
  /** What the comment above it says. */
  readonly about: string;
}

/** Programs with a ready driver, in the order in which they stand in the file. */
const TOOLS: readonly Tool[] = [
  {
    name: 'claude',
    about: 'Claude Code. It asks for permissions on the dashboard; docs/how-to/run-claude-code.md',
  },
  { name: 'codex', about: 'Codex; docs/how-to/run-other-tools.md' },
  { name: 'gemini', about: 'Gemini CLI; docs/how-to/run-other-tools.md' },
  { name: 'opencode', about: 'OpenCode; docs/how-to/run-other-tools.md' },
  { name: 'openclaw', about: 'OpenClaw; docs/how-to/run-other-tools.md' },
];

const FILE = 'signalbox.config.yaml';

export const init: CommandRow = {
  name: 'init',
  summary: 'write a configuration with the agents of this machine',
  description:
    `Looks for ${TOOLS.map(({ name }) => name).join(', ')} on the PATH, and writes ${FILE} with an agent for each, ` +
    'and one that needs no model. Every setting has a comment. An existing file is left as it is, unless --force is given.',
  examples: [
    ['Write a configuration, and run it', 'signalbox init && signalbox up'],
    ['Write one for another directory and port', 'signalbox init /srv/project --port 8090'],
  ],
  add: (command, terminal) =>
    command
      .argument('[directory]', 'where to write it', '.')
      .option('--port <number>', 'port of the dashboard and the HTTP API', '8083')
      .option('--force', 'replace an existing file')
      .action((directory: string, options: InitOptions) => writeConfig(terminal, directory, options)),
};

/** @throws SignalboxError `invalid_request` if the file exists, or cannot be written */
async function writeConfig(terminal: Terminal, directory: string, options: InitOptions): Promise<void> {
  const port = portOf(options.port);
  const found = await toolsOn(process.env.PATH ?? '');
  const file = resolve(directory, FILE);
  try {
    await writeFile(file, configText(found, port), { flag: options.force ? 'w' : 'wx' });
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) {
      throw new SignalboxError('invalid_request', `${file} exists: edit it, or replace it with --force`, {
        cause,
      });
    }
    const why = hasCode(cause, 'ENOENT') ? 'the directory does not exist' : String(cause);
    throw new SignalboxError('invalid_request', `${file} cannot be written: ${why}`, { cause });
  }
  const agents = ['hello', ...found.map(({ name }) => name)];
  terminal.print(
    `wrote ${file} with ${agents.length === 1 ? 'the agent' : 'the agents'} ${agents.join(', ')}`,
  );
  if (found.length === 0) {
    terminal.note(
      `none of ${TOOLS.map(({ name }) => name).join(', ')} is on the PATH: the file shows how to add one`,
    );
  }
  terminal.note(
    'next: "signalbox up" in one terminal; in another one: signalbox task add "Say hello" --agent hello --wait',
  );
}

/** @throws SignalboxError `invalid_request` */
function portOf(text: string): number {
  const port = wholeNumber(text);
  if (port !== null && port >= 1 && port <= 65_535) return port;
  throw new SignalboxError('invalid_request', `--port ${text}: expected a number from 1 to 65535`);
}

async function toolsOn(path: string): Promise<readonly Tool[]> {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const isThere = async ({ name }: Tool): Promise<boolean> => {
    const checks = folders.map((folder) => access(join(folder, name), constants.X_OK));
    return (await Promise.allSettled(checks)).some(({ status }) => status === 'fulfilled');
  };
  const there = await Promise.all(TOOLS.map(isThere));
  return TOOLS.filter((_, index) => there[index]);
}

/** Agents that are not on this machine are in comments. */
function configText(found: readonly Tool[], port: number): string {
  const schema = pathToFileURL(join(PACKAGE_ROOT, 'dist/signalbox.config.schema.json'));
  const isFound = (tool: Tool): boolean => found.includes(tool);
  const agents = [...TOOLS]
    .sort((a, b) => Number(isFound(b)) - Number(isFound(a)))
    .map((tool) => agentText(tool, isFound(tool)));
  return `# yaml-language-server: $schema=${schema}
# The configuration of Signalbox. All settings: docs/reference/configuration.md. Check it with "signalbox config check".

server:
  # The dashboard is at http://127.0.0.1:${port}/ui/. Other machines cannot reach it: docs/how-to/operate.md says how to change that.
  port: ${port}

defaults:
  # "manual": a user approves each result. "auto": it is done when its agent is done. An agent and a task may say otherwise.
  review: manual
  # The first attempt included; a failed one is tried again after a wait.
  max_attempts: 4

agents:
  # Needs no model: to see that Signalbox works.
  hello:
    driver: command
    command: [sh, -c, 'echo "Hello from attempt $SIGNALBOX_ATTEMPT of task $SIGNALBOX_TASK_ID"']
    review: auto

${agents.join('\n')}`;
}

function agentText({ name, about }: Tool, isFound: boolean): string {
  const lines = [
    `${name}:`,
    `  driver: ${name}`,
    '  # The directory in which it works.',
    '  cwd: .',
    '  # Tasks for any agent with one of these may go to it: signalbox task add "…" --type code',
    '  capabilities: [code]',
    '  # Tasks at a time.',
    '  concurrency: 1',
    '  # An attempt that takes longer is ended.',
    '  timeout_seconds: 30m',
  ];
  const mark = isFound ? '  ' : '  # ';
  return [`  # ${about}`, ...lines.map((line) => `${mark}${line}`), ''].join('\n');
}
