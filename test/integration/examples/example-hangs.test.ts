import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AGENTS, agentEnvironment, Board, exited } from '../../support/process/example-agents.ts';
import { isRunning } from '../../support/process/processes.ts';

describe('hangs.mjs', () => {
  /** Starts it in a process group of its own, as a supervisor does, and reads the pid of its child. */
  async function hang(board: Board): Promise<{ agent: ChildProcess; group: number; child: number }> {
    const agent = spawn(process.execPath, [join(AGENTS, 'hangs.mjs')], {
      env: agentEnvironment(board.port),
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(agent.stdout)) {
      const child = /^child (\d+) hangs$/.exec(line)?.[1];
      if (child !== undefined) return { agent, group: agent.pid ?? 0, child: Number(child) };
    }
    throw new Error('hangs.mjs ended before its child was up');
  }

  async function untilDead(pid: number): Promise<void> {
    while (isRunning(pid)) await sleep(10);
  }

  it.each([
    ['of its own group', false],
    ['of another session', true],
  ])('survives SIGTERM with a child %s', async (_, own_session) => {
    await using board = await Board.open({ task: { params: { own_session } } });
    const { agent, group, child } = await hang(board);
    try {
      process.kill(-group, 'SIGTERM');
      process.kill(child, 'SIGTERM');
      // A default SIGTERM would have acted by then.
      await sleep(300);
      expect([isRunning(group), isRunning(child)]).toEqual([true, true]);

      process.kill(-group, 'SIGKILL');
      await exited(agent);
      if (own_session) expect(isRunning(child)).toBe(true);
      else await untilDead(child);
    } finally {
      if (agent.exitCode === null && agent.signalCode === null) process.kill(-group, 'SIGKILL');
      if (isRunning(child)) process.kill(child, 'SIGKILL');
    }
    expect(board.messages).toEqual(['status working']);
  });
});
