/** The tools for commands in the background. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_CURSOR } from '../../contracts/api/background.ts';
import { addTool, type McpSession, READING, READS, type Tools, WRITES } from './session.ts';

/** Results of one call: what a client refuses as too long would be lost. */
const MAX_RESULTS = 8;

export function addBackgroundTools(tools: Tools, { client, identity }: McpSession): void {
  addTool(tools, 'background_run', {
    title: 'Run a command',
    description:
      'Runs a shell command in the background and answers at once. Its result comes with drain_notifications.',
    input: z.strictObject({
      command: z.string(),
      cwd: z.string().optional(),
      timeout_seconds: z.number().positive().optional(),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    run: ({ command, cwd, timeout_seconds }, trace) => {
      const request = { command, cwd: directoryOf(identity.cwd, cwd), timeout_seconds };
      return client.runBackground(request, { idempotencyKey: randomUUID(), trace });
    },
  });
  addTool(tools, 'check_background', {
    title: 'Check a command',
    description: 'Shows one background command with the end of its output, or lists all.',
    input: z.strictObject({ task_id: z.string().optional(), ...READING }),
    annotations: READS,
    run: async ({ task_id }) => {
      if (task_id !== undefined) return client.checkBackground({ task: task_id });
      const { tasks } = await client.listBackground();
      return { tasks: tasks.map(({ task_id: id, status, command }) => ({ task_id: id, status, command })) };
    },
  });
  addTool(tools, 'drain_notifications', {
    title: 'Fetch new results',
    description:
      'Fetches results of background commands that have finished since the last call, each once, in "text". Call it before each turn.',
    input: z.strictObject({ cursor: z.string().default(DEFAULT_CURSOR) }),
    annotations: WRITES,
    run: async ({ cursor }) => {
      const drained = await client.drainNotifications({ cursor, drain_id: randomUUID(), limit: MAX_RESULTS });
      const { text, more, results } = drained;
      return { text, more, task_ids: results.map(({ task_id }) => task_id) };
    },
  });
}

/** Relative to the directory in which the model works. */
function directoryOf(base: string | undefined, cwd: string | undefined): string | undefined {
  if (base === undefined) return cwd;
  return cwd === undefined ? base : resolve(base, cwd);
}
