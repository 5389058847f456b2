import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { localAddress } from '../../../src/cli/local-address.ts';
import { fieldOf } from '../../../src/config/issues.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { warningsOf } from '../../../src/config/warnings.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-warnings-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function warn(text: string, env: Record<string, string> = {}): string[] {
  const config = parseConfig(`data_dir: ${directory}\n${text}`, 'test.yaml');
  return warningsOf(config, { PATH: '/usr/bin:/bin', ...env }).map(
    ({ path, message }) => `${fieldOf(path)}: ${message}`,
  );
}

describe('what will not work on this machine', () => {
  it('a program, a directory or a variable that is missing', () => {
    const text = `
agents:
  good: { driver: command, command: [sh, -c, "true"], cwd: ${directory} }
  lost: { driver: command, command: [no-such-program], cwd: ${directory}/nowhere }
  path: { driver: command, command: [${directory}/tool] }
  own: { driver: tool }
  gate: { driver: openclaw-gateway }
  far: { driver: remote }
drivers:
  tool: { program: no-such-tool, args: ["{prompt_file}"], prompt: file, output: { format: text } }
webhooks:
  hook: { url: "https://example.org/", events: ["*"], secret_env: HOOK_SECRET }
`;
    expect(warn(text)).toEqual([
      `agents.lost.cwd: ${directory}/nowhere is not a directory: create it, or its attempts cannot be started`,
      'agents.lost.command: there is no program no-such-program on this machine: install it, or correct its name',
      `agents.path.command: there is no program ${directory}/tool on this machine: install it, or correct its name`,
      'agents.own.driver: there is no program no-such-tool on this machine: install it, or correct its name',
      'agents.gate.token_env: the variable OPENCLAW_GATEWAY_TOKEN is not set here: set it where Signalbox runs, or the Gateway gets no token',
      'webhooks.hook.secret_env: the variable HOOK_SECRET is not set here: set it where Signalbox runs, or Signalbox will not start',
    ]);
    expect(warn(text, { HOOK_SECRET: 'x', OPENCLAW_GATEWAY_TOKEN: 'y' })).toHaveLength(4);
  });

  it('a schedule whose time has passed, that no agent can do, or with a placeholder that does not exist', () => {
    const text = `
agents: { a: { driver: dry_run, capabilities: [git] } }
schedules:
  good: { cron: "0 2 * * *", task: { title: "{{nominal_date}} {{schedule_id}}", type: git } }
  past: { at: "2020-01-01T00:00:00Z", task: { title: x, agent: a } }
  lost: { every_seconds: 1h, task: { title: "{{nominal_day}}", description: "{{ nominal_time }}", type: nosuch } }
`;
    const known = 'known are {{nominal_time}}, {{nominal_date}}, {{schedule_id}}';
    expect(warn(text)).toEqual([
      'schedules.past.at: 2020-01-01T00:00:00Z has passed: it creates no task any more',
      'schedules.lost.task.type: no agent has the capability nosuch: its tasks wait until one has',
      `schedules.lost.task.title: {{nominal_day}} stays as it is: ${known}`,
      `schedules.lost.task.description: {{ nominal_time }} stays as it is: ${known}`,
    ]);
  });

  it('an address that other machines can reach', () => {
    expect(warn('server: { host: 127.0.0.1 }')).toEqual([]);
    const [message] = warn('server: { host: 0.0.0.0 }');
    expect(message).toMatch(
      /^server.host: 0.0.0.0 can be reached from other machines, which are all refused/,
    );
    writeFileSync(join(directory, 'tokens.json'), '{}');
    expect(warn('server: { host: 0.0.0.0 }')[0]).toContain('put a proxy with TLS before it');
  });
});

describe('times in a configuration', () => {
  it('are seconds, or written as people do', () => {
    const { defaults, agents } = parseConfig(
      'defaults: { timeout_seconds: 2h, backoff: { initial_seconds: 1m30s } }\nagents: { a: { driver: dry_run, timeout_seconds: "90" } }',
      'test.yaml',
    );
    expect(defaults).toMatchObject({ timeout_seconds: 7_200, backoff: { initial_seconds: 90 } });
    expect(agents.a?.timeout_seconds).toBe(90);
    expect(() => parseConfig('defaults: { timeout_seconds: soon }', 'test.yaml')).toThrow(
      'or a time such as "90s", "5m" or "2h", got "soon"',
    );
  });
});

describe('the address of the Signalbox of a directory', () => {
  it('has the port of its configuration file, on this machine', async () => {
    const file = join(directory, 'signalbox.config.yaml');
    expect(await localAddress(directory)).toBeNull();
    writeFileSync(file, 'server: { port: 18483, host: 192.0.2.1 }\n');
    expect(await localAddress(directory)).toBe('http://127.0.0.1:18483');
    writeFileSync(file, 'server: [\n');
    expect(await localAddress(directory)).toBeNull();
  });
});
