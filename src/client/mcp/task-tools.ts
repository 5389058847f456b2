/**
 * The tools about tasks.
 *
 * Y1 Every tool is one request of the client: what may be done, and by whom, is decided where HTTP decides it.
 */
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { OUTPUT_TYPES, TASK_STATES } from '../../contracts/tasks.ts';
import type { McpSession } from './identity.ts';
import { resultOf } from './result.ts';
import { traceOfCall } from './trace.ts';

const taskIdSchema = z.string().optional().describe('Default: the task that you work on.');
const READS = { readOnlyHint: true, openWorldHint: false } as const;
const WRITES = { readOnlyHint: false, destructiveHint: false, openWorldHint: false } as const;

export function addTaskTools(server: McpServer, session: McpSession): void {
  addReadingTools(server, session);
  addCreate(server, session);
  addWords(server, session);
}

function addReadingTools(server: McpServer, { client, identity }: McpSession): void {
  server.registerTool(
    'task_get',
    {
      description: 'A task with its outputs and comments.',
      inputSchema: z.strictObject({ task_id: taskIdSchema }),
      annotations: READS,
    },
    ({ task_id }) =>
      resultOf(() =>
        client.readTask({
          project: identity.project,
          task: taskOf(identity, task_id),
          expand: ['outputs', 'comments'],
        }),
      ),
  );
  server.registerTool(
    'task_list',
    {
      description: 'The tasks of your project, the oldest first, in short.',
      inputSchema: z.strictObject({
        status: z.array(z.enum(TASK_STATES)).optional(),
        agent: z.string().optional(),
        limit: z.int().min(1).max(100).default(20),
        after: z.int().min(0).optional().describe('"next" of the page before.'),
      }),
      annotations: READS,
    },
    (filter) =>
      resultOf(async () => {
        const { tasks, next } = await client.listTasks({ ...filter, project: identity.project });
        return { tasks: tasks.map(inShort), next };
      }),
  );
}

function inShort({
  id,
  status,
  title,
  agent,
  claimed_by,
  attempt,
  priority,
  reason,
  updated_at,
}: TaskAnswer) {
  return { id, status, title, agent, claimed_by, attempt, priority, reason, updated_at };
}

function addCreate(server: McpServer, { client, identity }: McpSession): void {
  server.registerTool(
    'task_create',
    {
      description: 'A new task for an agent, or for any agent that can do its type. Say which.',
      inputSchema: z.strictObject({
        title: z.string(),
        description: z.string().optional(),
        agent: z.string().optional(),
        type: z.string().optional(),
        params: z.record(z.string(), z.unknown()).optional(),
        priority: z.int().min(1).max(10).optional(),
        parent: z.string().optional(),
        depends_on: z.array(z.string()).optional(),
        idempotency_key: z.string().optional().describe('The same again creates nothing.'),
      }),
      annotations: { ...WRITES, idempotentHint: false },
    },
    (task, context) =>
      resultOf(() =>
        client.createTask({ project: identity.project, ...task }, { trace: traceOfCall(context) }),
      ),
  );
}

function addWords(server: McpServer, { client, identity }: McpSession): void {
  const { project } = identity;
  server.registerTool(
    'task_claim',
    {
      description:
        'Confirms that the task you work on is still yours, and tells Signalbox that you are alive. Signalbox itself hands tasks to agents: no other task can be claimed.',
      inputSchema: z.strictObject({}),
      annotations: { ...WRITES, idempotentHint: true },
    },
    () => resultOf(() => client.reportHeartbeat({ project, task: taskOf(identity, undefined) })),
  );
  server.registerTool(
    'task_status',
    {
      description:
        'Reports on the task you work on: working, review (it is finished; add an output first), failed, or blocked.',
      inputSchema: z.strictObject({
        status: z.enum(['working', 'review', 'failed', 'blocked']),
        detail: z.string().optional(),
      }),
      annotations: WRITES,
    },
    (report) =>
      resultOf(() => client.reportStatus({ project, task: taskOf(identity, undefined), ...report })),
  );
  server.registerTool(
    'task_output',
    {
      description: 'Hands in a result of the task you work on: its content, or the absolute path of a file.',
      inputSchema: z.strictObject({
        type: z.enum(OUTPUT_TYPES),
        title: z.string(),
        content: z.string().optional(),
        content_path: z.string().optional(),
        summary: z.string().optional(),
      }),
      annotations: WRITES,
    },
    (output) => resultOf(() => client.addOutput({ project, task: taskOf(identity, undefined), ...output })),
  );
  server.registerTool(
    'task_comment',
    {
      description: 'Comments on a task. Its next attempt gets to read it.',
      inputSchema: z.strictObject({ task_id: taskIdSchema, body: z.string() }),
      annotations: WRITES,
    },
    ({ task_id, body }) =>
      resultOf(() =>
        client.addComment({ project, task: taskOf(identity, task_id), body, author: identity.author }),
      ),
  );
}

/** @throws SignalboxError `invalid_request` */
function taskOf({ task }: McpSession['identity'], wanted: string | undefined): string {
  const id = wanted ?? task;
  if (id !== undefined) return id;
  throw new SignalboxError(
    'invalid_request',
    'you work on no task of Signalbox: SIGNALBOX_TASK_ID is not set. Name one with task_id where the tool takes it',
  );
}
