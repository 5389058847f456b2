/**
 * The real Claude Code under Signalbox, with a model that is a stub: it asks before it uses a tool, waits over a kill -9 of
 * Signalbox, and takes answers and messages while it runs.
 *
 *     npm run build && npm run real-agents
 *
 * Claude Code is fetched from npm into a temporary directory, for this run only; CLAUDE_BIN names an installed one. No key is needed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startModel } from './model-server.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PACKAGE = '@anthropic-ai/claude-code';
const PATIENCE_MS = 120_000;
const PORT = Number(process.env.PORT ?? 18_083);

const directory = mkdtempSync(join(tmpdir(), 'signalbox-real-agents-'));
const work = join(directory, 'work');
const url = `http://127.0.0.1:${PORT}`;
let signalbox;
let failures = 0;

const model = await startModel();
try {
  const claude = process.env.CLAUDE_BIN ?? fetchClaude();
  console.log(`Claude Code ${execFileSync(claude, ['--version'], { encoding: 'utf8' }).trim()}`);
  mkdirSync(work);
  writeFileSync(join(directory, 'signalbox.config.yaml'), JSON.stringify(configuration(claude)));
  await up();
  await scenario('a tool that is not allowed asks, "allow" runs it', allowed);
  await scenario('"deny" reaches the model with the message', denied);
  await scenario('"always" asks no more, is listed, and can be revoked', always);
  await scenario('kill -9 of Signalbox while it waits: answered after the restart', killed);
  await scenario('a choice of the model is a question with options', chosen);
  await scenario('a message of a user reaches the running agent', steered);
  await scenario('the tools of Signalbox need no permission', writtenBack);
} finally {
  await down('SIGTERM');
  model.close();
  rmSync(directory, { recursive: true, force: true });
}
console.log(failures === 0 ? 'all as it should be' : `${failures} scenarios failed`);
process.exit(failures === 0 ? 0 : 1);

async function scenario(title, run) {
  try {
    await run();
    console.log(`ok    ${title}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${title}: ${error.message}`);
  }
}

async function allowed() {
  await add('allow', [bash('echo ran >allow.txt')]);
  const question = await asked('allow');
  hold(
    question.about.input.command === 'echo ran >allow.txt',
    `it asks for ${JSON.stringify(question.about)}`,
  );
  await answer(question, { option: 'allow_once' });
  await done('allow');
  hold(readFileSync(join(work, 'allow.txt'), 'utf8') === 'ran\n', 'the command did not run');
}

async function denied() {
  await add('deny', [bash('rm allow.txt')]);
  await answer(await asked('deny'), { option: 'reject_once', comment: 'Keep that file, please.' });
  const { outputs } = await done('deny');
  hold(
    outputs.some(({ content }) => content.includes('Keep that file, please.')),
    'the model got another message',
  );
  readFileSync(join(work, 'allow.txt'));
}

async function always() {
  await add('always', [bash('touch one.txt'), bash('touch one.txt')]);
  await answer(await asked('always'), { option: 'allow_always', remember: { scope: 'agent' } });
  await done('always');
  hold((await questionsOf('always')).filter(byPerson).length === 1, 'it asked a second time');
  const { rules } = await get('/api/agents/coder/rules');
  const rule = rules.find(({ id }) => id);
  hold(rule !== undefined, 'the rule is not listed');
  await post(`/api/agents/coder/rules/${rule.id}/revoke`, { by: 'ann' });
  await add('again', [bash('touch one.txt')]);
  await answer(await asked('again'), { option: 'allow_once' });
  await done('again');
}

async function killed() {
  await add('killed', [bash('echo after >killed.txt')]);
  const question = await asked('killed');
  await down('SIGKILL');
  await up();
  await answer(question, { option: 'allow_once' });
  const { attempts } = await done('killed');
  hold(attempts.length === 1, `it took ${attempts.length} attempts`);
  hold(readFileSync(join(work, 'killed.txt'), 'utf8') === 'after\n', 'the command did not run');
}

async function chosen() {
  const options = [
    { label: 'Red', description: 'warm' },
    { label: 'Blue', description: 'cold' },
  ];
  const questions = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }];
  await add('choice', [{ name: 'AskUserQuestion', input: { questions } }]);
  const question = await asked('choice');
  await answer(question, { option: question.options.find(({ label }) => label.startsWith('Blue')).id });
  const { outputs } = await done('choice');
  hold(
    outputs.some(({ content }) => content.includes('"Which colour?"="Blue"')),
    'the model got another answer',
  );
}

async function steered() {
  await add('steer', [bash('echo first >first.txt')]);
  const question = await asked('steer');
  await post('/api/projects/demo/tasks/steer/steer', {
    by: 'ann',
    text: `Then this.\nSTUB: ${JSON.stringify(bash('echo second >steered.txt'))}`,
  });
  await answer(question, { option: 'allow_once' });
  await answer(await asked('steer'), { option: 'allow_once' });
  const { attempts } = await done('steer');
  hold(attempts.length === 1, 'it took a second attempt');
  hold(readFileSync(join(work, 'steered.txt'), 'utf8') === 'second\n', 'the message did not arrive');
}

async function writtenBack() {
  const input = { type: 'document', title: 'Note', content: 'written over MCP' };
  await add('mcp', [{ name: 'mcp__signalbox__task_output', input }]);
  const { outputs } = await done('mcp');
  hold(
    outputs.some(({ content }) => content === 'written over MCP'),
    'the output did not arrive',
  );
  hold((await questionsOf('mcp')).length === 0, 'it asked for permission');
}

function bash(command) {
  return { name: 'Bash', input: { command, description: 'a command' } };
}

/** No rule answered it. */
function byPerson({ answer: given }) {
  return given?.by !== 'supervisor';
}

async function add(id, calls) {
  const description = calls.map((call) => `STUB: ${JSON.stringify(call)}`).join('\n');
  await post('/api/projects/demo/tasks', { id, title: `Task ${id}`, description, agent: 'coder' });
}

async function asked(task) {
  return until(`task ${task} asks`, async () =>
    (await questionsOf(task)).find((question) => question.answer === null),
  );
}

async function questionsOf(task) {
  return (await get(`/api/projects/demo/tasks/${task}/questions`)).questions;
}

async function answer({ task, id }, body) {
  await post(`/api/projects/demo/tasks/${task}/questions/${id}/answer`, { by: 'ann', ...body });
}

async function done(task) {
  const read = () => get(`/api/projects/demo/tasks/${task}?expand=all`);
  const found = await until(`task ${task} ends`, async () => {
    const now = await read();
    return ['done', 'failed', 'blocked'].includes(now.status) ? now : undefined;
  });
  const { error, stderr_tail } = found.attempts.at(-1) ?? {};
  hold(found.status === 'done', `it is ${found.status}: ${error ?? ''} ${stderr_tail ?? ''}`);
  return found;
}

async function get(path) {
  return read(await fetch(url + path));
}

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  return read(await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function read(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${JSON.stringify(body)}`);
  return body;
}

async function until(what, look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(200)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}`);
}

function hold(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

async function up() {
  signalbox = spawn(process.execPath, [MAIN, 'up'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await until('Signalbox is ready', () =>
    fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

async function down(signal) {
  if (!signalbox) return;
  const ended = new Promise((resolve) => signalbox.once('exit', resolve));
  signalbox.kill(signal);
  await ended;
  signalbox = undefined;
}

function configuration(claude) {
  return {
    data_dir: join(directory, 'data'),
    server: { port: PORT },
    log: { level: 'error' },
    drivers: { claude: { program: claude } },
    defaults: { review: 'auto', max_attempts: 1, timeout_seconds: 120 },
    agents: {
      coder: {
        driver: 'claude',
        cwd: work,
        env: {
          ANTHROPIC_BASE_URL: model.url,
          ANTHROPIC_API_KEY: 'no-key-is-needed',
          CLAUDE_CONFIG_DIR: join(directory, 'claude'),
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        },
      },
    },
    shutdown: { agents: 'kill' },
  };
}

/** The program of this platform: named with its version, because on Node.js 20 npm would pick an old one. */
function fetchClaude() {
  const npm = (...args) => execFileSync('npm', args, { cwd: directory, encoding: 'utf8' }).trim();
  const version = npm('view', PACKAGE, 'version');
  console.log(`fetching ${PACKAGE} ${version} …`);
  const home = join(directory, 'npm');
  npm(
    'install',
    '--prefix',
    home,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${PACKAGE}@${version}`,
  );
  return join(home, 'node_modules', `${PACKAGE}-${process.platform}-${process.arch}`, 'claude');
}
