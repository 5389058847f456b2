/** What the command line prints with --json is the answer of an operation, or the list in it: the same names everywhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  agentAnswerSchema,
  attemptAnswerSchema,
  deadLetterSchema,
  queueAnswerSchema,
  redriveAnswerSchema,
  taskAnswerSchema,
} from '../../../src/contracts/api/answers.ts';
import { auditStatusSchema } from '../../../src/contracts/api/audit-status.ts';
import { auditKeySchema } from '../../../src/contracts/api/system-answers.ts';
import { whyAnswerSchema } from '../../../src/contracts/api/why.ts';
import { startUp, type TestUp } from '../../support/process/cli.ts';

const CONFIG = 'agents: { idle: { driver: dry_run }, echo: { driver: dry_run } }\n';

const COMMANDS: readonly (readonly [string, z.ZodType])[] = [
  ['task show one', taskAnswerSchema],
  ['task ls', z.array(taskAnswerSchema)],
  ['task why one', whyAnswerSchema],
  ['task comment one hello', taskAnswerSchema],
  ['task block one', taskAnswerSchema],
  ['task unblock one', taskAnswerSchema],
  ['task cancel one', taskAnswerSchema],
  ['attempt ls one', z.array(attemptAnswerSchema)],
  ['agent ls', z.array(agentAnswerSchema)],
  ['agent show idle', agentAnswerSchema],
  ['agent pause idle', agentAnswerSchema],
  ['agent resume idle', agentAnswerSchema],
  ['queue ls', z.array(queueAnswerSchema)],
  ['queue pause agent echo', queueAnswerSchema],
  ['queue resume agent echo', queueAnswerSchema],
  ['dlq ls', z.array(deadLetterSchema)],
  ['dlq redrive --all --dry-run', redriveAnswerSchema.omit({ next: true })],
  ['audit keys show', z.strictObject({ keys: z.array(auditKeySchema) })],
  ['audit status', auditStatusSchema],
];

describe('--json', () => {
  let up: TestUp;

  beforeAll(async () => {
    up = await startUp(CONFIG);
    await up.client.createTask({
      project: 'default',
      id: 'one',
      title: 'x',
      agent: 'idle',
      delay_seconds: 60,
    });
  });

  afterAll(() => up[Symbol.asyncDispose]());

  it.each(COMMANDS)('%s prints the answer of its operation', async (command, schema) => {
    const printed: unknown = await up.json(command.split(' '));
    expect(schema.safeParse(printed).error?.issues ?? []).toEqual([]);
  });
});
