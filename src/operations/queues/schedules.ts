/** Operations of schedules. */
import { decisionSchema } from '../../contracts/api/requests.ts';
import {
  backfillAnswerSchema,
  backfillSchema,
  createScheduleSchema,
  scheduleAnswerSchema,
  scheduleListSchema,
} from '../../contracts/api/schedules.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { scheduleParams } from '../params.ts';

const SCHEDULES = '/api/schedules';
const SCHEDULE = `${SCHEDULES}/{schedule}`;

export const createSchedule = operation({
  name: 'createSchedule',
  group: 'Schedules',
  summary:
    'Create a schedule: a task is created at each of its times. The same request again changes nothing',
  access: 'operate',
  http: { method: 'POST', path: SCHEDULES },
  input: { ...NO_INPUT, body: createScheduleSchema },
  isIdempotent: () => true,
  example: {
    id: 'nightly',
    cron: '0 2 * * *',
    zone: 'Europe/Berlin',
    task: { title: 'Check the backups of {{nominal_date}}', agent: 'ops' },
  },
  answers: { 200: json(scheduleAnswerSchema, 'The schedule.') },
  errors: [...COMMITS, 'schedule_exists', 'agent_not_found'],
  handle: ({ schedules }, { body, caller }) => schedules.create(body, caller.actor),
});

export const listSchedules = operation({
  name: 'listSchedules',
  group: 'Schedules',
  summary: 'List the schedules, with their next times and newest runs',
  access: 'read',
  http: { method: 'GET', path: SCHEDULES },
  input: NO_INPUT,
  answers: { 200: json(scheduleListSchema, 'The schedules, in the order of their creation.') },
  handle: ({ schedules }) => ({ schedules: schedules.list() }),
});

const one = {
  group: 'Schedules',
  answers: { 200: json(scheduleAnswerSchema, 'The schedule.') },
} as const;

export const readSchedule = operation({
  ...one,
  name: 'readSchedule',
  summary: 'Read a schedule, with its next times and newest runs',
  access: 'read',
  http: { method: 'GET', path: SCHEDULE },
  input: { ...NO_INPUT, params: scheduleParams },
  errors: ['schedule_not_found'],
  handle: ({ schedules }, { params }) => schedules.read(params.schedule),
});

const decision = {
  ...one,
  access: 'operate',
  input: { ...NO_INPUT, params: scheduleParams, body: decisionSchema },
  example: { by: 'ann', comment: 'the build machine is being moved' },
  errors: [...COMMITS, 'schedule_not_found'],
} as const;

export const pauseSchedule = operation({
  ...decision,
  name: 'pauseSchedule',
  summary: 'Pause a schedule: its times pass without a task until it is resumed',
  http: { method: 'POST', path: `${SCHEDULE}/pause` },
  handle: ({ schedules }, { params, body, caller }) =>
    schedules.decide(params.schedule, 'pause', body, caller.actor),
});

export const resumeSchedule = operation({
  ...decision,
  name: 'resumeSchedule',
  summary: 'Resume a schedule; times that passed meanwhile are not made up for',
  http: { method: 'POST', path: `${SCHEDULE}/resume` },
  handle: ({ schedules }, { params, body, caller }) =>
    schedules.decide(params.schedule, 'resume', body, caller.actor),
});

export const triggerSchedule = operation({
  ...decision,
  name: 'triggerSchedule',
  summary: 'Create a task of the schedule now, whatever its times and its overlap policy are',
  http: { method: 'POST', path: `${SCHEDULE}/trigger` },
  handle: ({ schedules }, { params, body, caller }) =>
    schedules.decide(params.schedule, 'trigger', body, caller.actor),
});

export const backfillSchedule = operation({
  name: 'backfillSchedule',
  group: 'Schedules',
  summary: 'Run the times of a past range that have no task: one after the other, or at once with allow_all',
  access: 'operate',
  http: { method: 'POST', path: `${SCHEDULE}/backfill` },
  input: { ...NO_INPUT, params: scheduleParams, body: backfillSchema },
  example: { from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' },
  answers: { 200: json(backfillAnswerSchema, 'The schedule, and how many times were added.') },
  errors: [...COMMITS, 'schedule_not_found'],
  handle: ({ schedules }, { params, body, caller }) =>
    schedules.backfill(params.schedule, body, caller.actor),
});

export const removeSchedule = operation({
  ...decision,
  name: 'removeSchedule',
  summary: 'Remove a schedule; its tasks stay',
  http: { method: 'POST', path: `${SCHEDULE}/remove` },
  handle: ({ schedules }, { params, body, caller }) =>
    schedules.decide(params.schedule, 'remove', body, caller.actor),
});
