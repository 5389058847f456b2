/** Ready drivers tell their tools of Signalbox's MCP server, without a word in the user's own configuration. */
import { describe, expect, it } from 'vitest';
import { declaredProgram } from '../../../src/drivers/declared/declared-program.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';
import type { Invocation } from '../../../src/drivers/program.ts';
import { runRequest } from '../../support/process/run-request.ts';

const FILES = { directory: '/attempts/1', workDirectory: '/work', promptFile: '/attempts/1/prompt.md' };
function invocationOf(name: string, url: string | null = 'http://127.0.0.1:9'): Invocation {
  const program = declaredProgram({
    spec: resolveDriver({}, name),
    args: [],
    options: {},
    env: {},
    maxOutputBytes: 1_000,
    output: 'stdout',
    resume: true,
    installation: 'i',
    url: () => url,
  });
  return program.invocation(runRequest(), FILES);
}

const ENDS_WITH_MCP = expect.arrayContaining(['mcp']);

describe('the MCP server of Signalbox', () => {
  it('is in the configuration that opencode merges with the one of its user', () => {
    const { env } = invocationOf('opencode');
    expect(JSON.parse(env?.OPENCODE_CONFIG_CONTENT ?? '')).toEqual({
      mcp: { signalbox: { type: 'local', enabled: true, command: ENDS_WITH_MCP } },
    });
  });

  it.each(['opencode', 'codex', 'claude'])(
    'is left out for %s while agents cannot reach Signalbox',
    (name) => {
      const { command, env = {} } = invocationOf(name, null);
      expect(JSON.stringify([command, env.OPENCODE_CONFIG_CONTENT])).not.toMatch(/"mcp\\?"|mcp_servers/);
    },
  );
});
