/** The tools about schedules, for an agent that an operator lets supervise others. */
import { z } from 'zod';
import { addTool, type McpSession, READS, type Tools, WRITES } from './session.ts';

/** Runs and times that an answer holds. */
const SHOWN = 3;

export function addScheduleTools(tools: Tools, { client, identity }: McpSession): void {
  addTool(tools, 'schedule_list', {
    title: 'List schedules',
    description: 'Lists the schedules, with their next times and newest runs.',
    input: z.strictObject({}),
    annotations: READS,
    run: async () => {
      const { schedules } = await client.listSchedules();
      return {
        schedules: schedules.map(({ next, runs, ...schedule }) => ({
          ...schedule,
          next: next.slice(0, SHOWN),
          runs: runs.slice(0, SHOWN),
        })),
      };
    },
  });
  addTool(tools, 'schedule_create', {
    title: 'Create a schedule',
    description:
      'Creates a schedule: a task for an agent ("agent") or a type ("type") at each time of "cron" (five fields), every "every_seconds", or once "at". Needs the rights of an operator.',
    input: z.strictObject({
      id: z.string(),
      cron: z.string().optional(),
      every_seconds: z.number().optional(),
      at: z.string().optional(),
      zone: z.string().optional().describe('IANA name; default UTC.'),
      title: z.string().describe('May hold {{nominal_date}} and {{nominal_time}}.'),
      description: z.string().optional(),
      agent: z.string().optional(),
      type: z.string().optional(),
    }),
    annotations: { ...WRITES, idempotentHint: true },
    run: ({ title, description, agent, type, ...times }) =>
      client.createSchedule({
        ...times,
        project: identity.project,
        task: { title, description, agent, type },
      }),
  });
  addTool(tools, 'schedule_trigger', {
    title: 'Run a schedule now',
    description: 'Creates a task of a schedule now. Needs the rights of an operator.',
    input: z.strictObject({ id: z.string() }),
    annotations: { ...WRITES, idempotentHint: false },
    run: ({ id }) => client.triggerSchedule({ schedule: id }),
  });
}
