/** The real tools: where they come from, and how each is configured for the stub. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'signalbox', 'real-agents');
const PLATFORM = `${process.platform}-${process.arch}`;
const KEY = 'no-key-is-needed';

/** A package in the cache, outside the repository. Its newest version is named, because npm would pick an old one on Node.js 20. */
function fetched(name, version = npm('view', name, 'version')) {
  const home = join(CACHE, `${name.replaceAll('/', '+')}-${version}`);
  if (!existsSync(join(home, 'complete'))) {
    console.log(`fetching ${name} ${version} …`);
    mkdirSync(home, { recursive: true });
    npm(
      'install',
      '--prefix',
      home,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${name}@${version}`,
    );
    mkdirSync(join(home, 'complete'));
  }
  return { version, modules: join(home, 'node_modules') };
}

function npm(...args) {
  return execFileSync('npm', args, { encoding: 'utf8' }).trim();
}

const shell =
  (name, more = {}) =>
  (command) => ({ name, input: { command, ...more } });

/**
 * Each tool: `agent` is its part of the configuration of Signalbox, `bash` a call of its shell, `writeBack` its name for the
 * tool "task_output" of Signalbox.
 */
export const TOOLS = {
  claude: ({ model, directory }) => {
    const { version, modules } = fetched('@anthropic-ai/claude-code');
    return {
      version,
      driver: 'claude',
      program: process.env.CLAUDE_BIN ?? join(modules, `@anthropic-ai/claude-code-${PLATFORM}`, 'claude'),
      bash: shell('Bash', { description: 'a command' }),
      writeBack: 'mcp__signalbox__task_output',
      can: ['questions', 'choice', 'denial with a comment'],
      env: {
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: KEY,
        CLAUDE_CONFIG_DIR: join(directory, 'claude'),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    };
  },
  opencode: (setting) => opencode(setting, { driver: 'opencode', args: ['--auto'], can: [] }),
  'opencode-acp': (setting) => opencode(setting, { driver: 'opencode-acp', can: ['questions'] }),
  'gemini-acp': gemini,
};

function opencode({ model, directory }, more) {
  const { version, modules } = fetched('opencode-ai');
  const home = join(directory, 'home');
  const file = join(directory, 'opencode.json');
  const configuration = {
    model: 'anthropic/claude-sonnet-4-5',
    small_model: 'anthropic/claude-sonnet-4-5',
    autoupdate: false,
    share: 'disabled',
    permission: { bash: 'ask', edit: 'ask' },
    provider: { anthropic: { options: { baseURL: `${model.url}/v1`, apiKey: KEY } } },
  };
  writeFileSync(file, JSON.stringify(configuration));
  return {
    ...more,
    version,
    program: join(modules, `opencode-${PLATFORM}`, 'bin', 'opencode'),
    bash: shell('bash', { description: 'a command' }),
    writeBack: 'signalbox_task_output',
    env: {
      HOME: home,
      XDG_DATA_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
      XDG_STATE_HOME: home,
      OPENCODE_CONFIG: file,
      OPENCODE_DISABLE_AUTOUPDATE: '1',
    },
  };
}

function gemini({ model, directory }) {
  const { version, modules } = fetched('@google/gemini-cli');
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true });
  return {
    version,
    driver: 'gemini-acp',
    program: join(modules, '.bin', 'gemini'),
    args: ['-m', 'gemini-2.5-flash'],
    bash: shell('run_shell_command'),
    writeBack: 'mcp_signalbox_task_output',
    can: ['questions'],
    env: { HOME: home, GEMINI_CLI_HOME: home, GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: model.url },
  };
}
