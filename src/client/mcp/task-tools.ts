/** The tools about tasks. Each is one operation, which decides what the caller may do. */
import { z } from 'zod';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { taskEditSchema } from '../../contracts/events/task-edits.ts';
import { OUTPUT_TYPES, TASK_STATES } from '../../contracts/tasks.ts';
import { addTool, type McpSession, READING, READS, type Tools, WRITES } from './session.ts';

const taskIdSchema = z.string().optional().describe('Default: the task that you work on.');

export function addTaskTools(tools: Tools, session: McpSession): void {
  addProjectTools(tools, session);
  addAttemptTools(tools, session);
}

function addProjectTools(tools: Tools, { client, identity }: McpSession): void {
  const { project } = identity;
  addTool(tools, 'task_get', {
    title: 'Read a task',
    description:
      'Reads a task with its outputs and comments. What is too long is cut and listed in "truncated": read it on with path and offset.',
    input: z.strictObject({ task_id: taskIdSchema, ...READING }),
    annotations: READS,
    run: ({ task_id }) =>
      client.readTask({ project, task: taskOf(identity, task_id), expand: ['outputs', 'comments'] }),
  });
  addTool(tools, 'task_list', {
    title: 'List tasks',
    description: 'Lists the tasks of your project, oldest first.',
    input: z.strictObject({
      status: z.array(z.enum(TASK_STATES)).optional(),
      state: z.array(z.enum(TASK_STATES)).optional().describe('The same as "status".'),
      agent: z.string().optional(),
      limit: z.int().min(1).max(100).default(20),
      after: z.int().min(0).optional().describe('"next" of the previous page.'),
    }),
    annotations: READS,
    run: async ({ state, status = state, ...filter }) => {
      const { tasks, next } = await client.listTasks({ ...filter, status, project });
      return { tasks: tasks.map(inShort), next };
    },
  });
  addTool(tools, 'task_create', {
    title: 'Create a task',
    description:
      'Creates a task for an agent ("agent"), or for any agent that can do its type ("type"); or from a template of the configuration ("template" with its "inputs").',
    input: z.strictObject({
      title: z.string().optional().describe('Needed without a template.'),
      template: z.string().optional(),
      inputs: z.record(z.string(), z.string()).optional().describe('Of the template.'),
      description: z.string().optional(),
      agent: z.string().optional(),
      type: z.string().optional(),
      params: z.record(z.string(), z.unknown()).optional(),
      priority: z.int().min(1).max(10).optional(),
      parent: z.string().optional(),
      depends_on: z.array(z.string()).optional(),
      idempotency_key: z
        .string()
        .optional()
        .describe('Repeating a call with the same key creates no second task.'),
    }),
    annotations: { ...WRITES, idempotentHint: false },
    run: ({ template, inputs, title = '', ...task }, trace) =>
      template === undefined
        ? client.createTask({ project, ...task, title }, { trace })
        : client.createFromTemplate(
            { project, template, inputs, ...task, ...(title !== '' && { title }) },
            { trace },
          ),
  });
  addTool(tools, 'task_edit', {
    title: 'Edit a task',
    description:
      'Changes a task of others while it waits; its priority until it has ended. null removes a value, and of the labels only those that are named change.',
    input: taskEditSchema.extend({ task_id: z.string(), comment: z.string().optional() }),
    annotations: { ...WRITES, idempotentHint: true },
    run: ({ task_id: task, ...changes }) =>
      client.editTask({ project, task, ...changes, by: identity.author }),
  });
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

function addAttemptTools(tools: Tools, { client, identity }: McpSession): void {
  const ref = (task_id?: string) => ({ project: identity.project, task: taskOf(identity, task_id) });
  addTool(tools, 'task_claim', {
    title: 'Confirm the claim',
    description:
      'Confirms that the task you work on is still yours, and that you are alive. Signalbox assigns tasks to agents: no other task can be claimed.',
    input: z.strictObject({}),
    annotations: { ...WRITES, idempotentHint: true },
    run: async () => client.reportHeartbeat(ref()),
  });
  addTool(tools, 'task_status', {
    title: 'Report the status',
    description:
      'Reports the status of the task you work on: working, review (it is finished; add an output first), failed, or blocked.',
    input: z.strictObject({
      status: z.enum(['working', 'review', 'failed', 'blocked']),
      detail: z.string().optional(),
    }),
    annotations: WRITES,
    run: async (report) => client.reportStatus({ ...ref(), ...report }),
  });
  addTool(tools, 'task_output', {
    title: 'Add a result',
    description: 'Adds a result to the task you work on: its content, or the absolute path of a file.',
    input: z.strictObject({
      type: z.enum(OUTPUT_TYPES),
      title: z.string(),
      content: z.string().optional(),
      content_path: z.string().optional(),
      summary: z.string().optional(),
    }),
    annotations: WRITES,
    run: async (output) => client.addOutput({ ...ref(), ...output }),
  });
  addTool(tools, 'task_comment', {
    title: 'Comment on a task',
    description: 'Comments on a task. Its next attempt gets the comment.',
    input: z.strictObject({ task_id: taskIdSchema, body: z.string() }),
    annotations: WRITES,
    run: async ({ task_id, body }) => client.addComment({ ...ref(task_id), body, author: identity.author }),
  });
}

/** @throws SignalboxError `invalid_request` */
function taskOf({ task }: McpSession['identity'], wanted: string | undefined): string {
  const id = wanted ?? task;
  if (id !== undefined) return id;
  throw new SignalboxError(
    'invalid_request',
    'you work on no task of Signalbox: SIGNALBOX_TASK_ID is not set. If the tool has the argument task_id, name a task with it',
  );
}
