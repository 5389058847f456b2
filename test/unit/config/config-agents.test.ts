import { describe, expect, it } from 'vitest';
import { resolveAgent } from '../../../src/config/derived.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { agentConfigSchema } from '../../../src/config/schema/agent-config.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { messageOf } from '../../../src/contracts/errors.ts';

/** What is said of the agent `a` with these keys, without the file and the line. */
function saidOf(agent: string): string[] {
  try {
    parseConfig(`agents:\n  a: { ${agent} }\n`, 'f');
  } catch (error) {
    return messageOf(error)
      .split('\n')
      .map((line) => line.replace(/^\S+ /, ''));
  }
  return [];
}

describe('an agent in the configuration', () => {
  it.each([
    [
      'driver: comand',
      'agents.a.driver: expected command, openclaw, claude, codex, gemini, opencode, opencode-acp, gemini-acp, claude-acp, codex-acp, acp, openclaw-gateway, dry_run or remote, got "comand"; did you mean "command"?',
    ],
    [
      'concurrency: 1',
      'agents.a.driver: expected command, openclaw, claude, codex, gemini, opencode, opencode-acp, gemini-acp, claude-acp, codex-acp, acp, openclaw-gateway, dry_run or remote, but it is missing',
    ],
    [
      'driver: function',
      'agents.a.driver: expected command, openclaw, claude, codex, gemini, opencode, opencode-acp, gemini-acp, claude-acp, codex-acp, acp, openclaw-gateway, dry_run or remote (the handler of a function agent is code: give such an agent to the library), got "function"',
    ],
  ])('must name a driver: %s', (agent, message) => {
    expect(saidOf(agent)).toEqual([message]);
  });

  it.each(['', 'command: node a.mjs', 'command: []'])('needs a command that is a list: %s', (command) => {
    expect(saidOf(`driver: command, ${command}`)).toEqual([
      expect.stringMatching(
        /^agents\.a\.command: expected a list with the program and its arguments, such as .*, (but it is missing|got "node a\.mjs"|got an empty list)$/,
      ),
    ]);
  });

  it.each([
    [
      '[node, {prompt_file}]',
      'agents.a.command[1]: expected text, got a map: put quotes around {prompt_file}',
    ],
    ['[sleep, 5]', 'agents.a.command[1]: expected text, got 5: put quotes around it'],
    ['[""]', 'agents.a.command: the first item is the program, and must not be empty'],
    ['[node, "--task={taskId}"]', 'agents.a.command[1]: {taskId} is not a placeholder: write {task_id}'],
    [
      '[node, "{PROMPT-FILE}"]',
      'agents.a.command[1]: {PROMPT-FILE} is not a placeholder: write {prompt_file}',
    ],
  ])('is refused if its arguments would not reach the program as meant: %s', (command, message) => {
    expect(saidOf(`driver: command, command: ${command}`)).toEqual([message]);
  });

  it('may have braces in its command that are not placeholders', () => {
    expect(saidOf(`driver: command, command: [sh, -c, "awk '{print}' {} \${PROMPT} {name}"]`)).toEqual([]);
  });

  it('needs {prompt} in its command if the prompt is an argument', () => {
    expect(saidOf('driver: command, prompt: argument, command: [claude, -p, "{prompt}"]')).toEqual([]);
    expect(saidOf('driver: command, prompt: argument, command: [claude, -p], concurrency: 0.5')).toEqual([
      'agents.a.prompt: the command has no {prompt}, so the prompt would not reach the agent: add "{prompt}" to it',
      'agents.a.concurrency: expected a whole number from 1 to 10000, got 0.5',
    ]);
  });

  it('that is remote has no process settings, and gives its workers time for a second heartbeat', () => {
    expect(saidOf('driver: remote, concurrency: 4, heartbeat_seconds: 10')).toEqual([]);
    expect(saidOf('driver: remote, cwd: /srv')).toHaveLength(1);
    expect(saidOf('driver: remote, heartbeat_seconds: 10, offline_after_seconds: 15')).toEqual([
      'agents.a.offline_after_seconds: expected at least two times heartbeat_seconds, so that one lost heartbeat is no loss',
    ]);
  });

  it('cannot set the variables that Signalbox sets', () => {
    const message = 'expected the name of a variable, and none of SIGNALBOX_*, which Signalbox sets itself';
    expect(saidOf('driver: dry_run, env: { SIGNALBOX_TOKEN: x, A-B: x }, pass_env: [SIGNALBOX_URL]')).toEqual(
      [
        `agents.a.env.SIGNALBOX_TOKEN: ${message}, got "SIGNALBOX_TOKEN"`,
        `agents.a.env.A-B: ${message}, got "A-B"`,
        `agents.a.pass_env[0]: ${message}, got "SIGNALBOX_URL"`,
      ],
    );
  });

  it.each(['a b', 'agent.1', 'x'.repeat(65), 'manual', 'auto'])('cannot have the id %s', (id) => {
    expect(() => parseConfig(JSON.stringify({ agents: { [id]: { driver: 'dry_run' } } }), 'f')).toThrow(
      /: (?:expected|must not) .*, got "/,
    );
  });

  it('is a dry run if its driver is dry_run', () => {
    expect(agentConfigSchema.parse({ driver: 'dry_run' }).dry_run).toBe(true);
    expect(saidOf('driver: dry_run, dry_run: false')).toEqual(['agents.a.dry_run: expected true, got false']);
  });

  it('may be a function if the library defines it', () => {
    expect(agentConfigSchema.parse({ driver: 'function', capabilities: ['sum'] })).toMatchObject({
      driver: 'function',
      capabilities: ['sum'],
      concurrency: 1,
    });
    expect(configSchema.parse({ agents: { f: { driver: 'function' } } }).agents.f?.driver).toBe('function');
  });
});

describe('review', () => {
  it('is manual, auto, or another agent', () => {
    expect(() => parseConfig('{"defaults": {"review": "absent"}}', 'f')).toThrow(
      'f:1:15 defaults.review: "absent" is not an agent of this configuration; expected one of manual, auto',
    );
    expect(saidOf('driver: dry_run, review: a')).toEqual([
      'agents.a.review: an agent does not review its own work: name another one',
    ]);
    expect(saidOf('driver: dry_run, review: b }\n  b: { driver: dry_run')).toEqual([]);
  });
});

describe('resolveAgent', () => {
  const config = configSchema.parse({
    defaults: { timeout_seconds: 60, silence_timeout_seconds: 20, review: 'auto' },
    agents: {
      plain: { driver: 'dry_run' },
      own: {
        driver: 'command',
        command: ['true'],
        timeout_seconds: 5,
        silence_timeout_seconds: 0.5,
        kill_grace_seconds: 1,
        review: 'manual',
      },
    },
  });

  it('uses the defaults for settings that the agent does not have', () => {
    expect(resolveAgent(config, 'plain')).toMatchObject({
      id: 'plain',
      driver: 'dry_run',
      timeout_seconds: 60,
      silence_timeout_seconds: 20,
      kill_grace_seconds: 10,
      review: 'auto',
    });
  });

  it('keeps settings of the agent', () => {
    expect(resolveAgent(config, 'own')).toMatchObject({
      command: ['true'],
      timeout_seconds: 5,
      silence_timeout_seconds: 0.5,
      kill_grace_seconds: 1,
      review: 'manual',
    });
  });

  it.each(['absent', 'toString', 'constructor'])('knows no agent %s', (id) => {
    expect(() => resolveAgent(config, id)).toThrow(
      expect.objectContaining({
        code: 'agent_not_found',
        message: `the configuration has no agent "${id}": its agents are plain, own`,
      }),
    );
  });
});
