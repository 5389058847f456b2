/** The tools for commands in the background. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DEFAULT_CURSOR } from '../../contracts/api/background.ts';
import type { McpSession } from './identity.ts';
import { resultOf } from './result.ts';
import { traceOfCall } from './trace.ts';

export function addBackgroundTools(server: McpServer, { client, identity }: McpSession): void {
  server.registerTool(
    'background_run',
    {
      description:
        'Runs a shell command in the background and answers at once. Its result comes with drain_notifications.',
      inputSchema: z.strictObject({
        command: z.string(),
        cwd: z.string().optional(),
        timeout_seconds: z.number().positive().optional(),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    },
    ({ command, cwd, timeout_seconds }, context) =>
      resultOf(() => {
        const request = { command, cwd: directoryOf(identity.cwd, cwd), timeout_seconds };
        return client.runBackground(request, { idempotencyKey: randomUUID(), trace: traceOfCall(context) });
      }),
  );
  server.registerTool(
    'check_background',
    {
      description: 'One background command with the end of what it has printed, or all in short.',
      inputSchema: z.strictObject({ task_id: z.string().optional() }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ task_id }) =>
      resultOf(async () => {
        if (task_id !== undefined) return client.checkBackground({ task: task_id });
        const { tasks } = await client.listBackground();
        return { tasks: tasks.map(({ task_id: id, status, command }) => ({ task_id: id, status, command })) };
      }),
  );
  server.registerTool(
    'drain_notifications',
    {
      description:
        'The results of background commands that have finished since you last asked, each once, in "text". Ask before each turn.',
      inputSchema: z.strictObject({ cursor: z.string().default(DEFAULT_CURSOR) }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    ({ cursor }) =>
      resultOf(async () => {
        const { text, more, results } = await client.drainNotifications({ cursor, drain_id: randomUUID() });
        return { text, more, task_ids: results.map(({ task_id }) => task_id) };
      }),
  );
}

/** Relative to where the model works. */
function directoryOf(base: string | undefined, cwd: string | undefined): string | undefined {
  if (base === undefined) return cwd;
  return cwd === undefined ? base : resolve(base, cwd);
}
