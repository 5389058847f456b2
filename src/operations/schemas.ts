/** zod schemas as JSON Schema 2020-12, for OpenAPI 3.1 and AsyncAPI 3.1. Named ones are under `components`. */
import { z } from 'zod';
import * as answers from '../contracts/api/answers.ts';
import { createJobSchema, jobAnswerSchema } from '../contracts/api/jobs.ts';
import * as requests from '../contracts/api/requests.ts';
import { createScheduleSchema } from '../contracts/api/schedules.ts';
import { healthReportSchema, problemSchema } from '../contracts/api/system-answers.ts';
import * as webhooks from '../contracts/api/webhooks.ts';
import { whyAnswerSchema } from '../contracts/api/why.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What clients send: fields with a default may be left out. */
const REQUESTS = {
  CreateJob: createJobSchema,
  CreateTask: requests.createTaskSchema,
  FollowUp: requests.followUpSchema,
  CreateSchedule: createScheduleSchema,
  StatusReport: requests.statusReportSchema,
  Heartbeat: requests.heartbeatSchema,
  AddOutput: requests.addOutputSchema,
  AddComment: requests.addCommentSchema,
  Decision: requests.decisionSchema,
  Rejection: requests.rejectionSchema,
  Attribution: requests.attributionSchema,
  ChooseLetters: webhooks.chooseLettersSchema,
  Redrive: requests.redriveSchema,
} as const;

const ANSWERS = {
  Job: jobAnswerSchema,
  Task: answers.taskAnswerSchema,
  FollowUpTask: answers.followUpAnswerSchema,
  TaskPage: answers.taskPageSchema,
  Output: answers.outputAnswerSchema,
  Comment: answers.commentAnswerSchema,
  Attempt: answers.attemptAnswerSchema,
  AttemptList: answers.attemptListSchema,
  Event: answers.eventAnswerSchema,
  Agent: answers.agentAnswerSchema,
  AgentList: answers.agentListSchema,
  DeadLetter: answers.deadLetterSchema,
  DeadLetterPage: answers.deadLetterPageSchema,
  Redriven: answers.redriveAnswerSchema,
  QueueList: answers.queueListSchema,
  WebhookList: webhooks.webhookListSchema,
  WebhookDeadLetters: webhooks.webhookLettersSchema,
  Redelivered: webhooks.redeliveredSchema,
  ProcessList: answers.processListSchema,
  Health: healthReportSchema,
  Why: whyAnswerSchema,
  Problem: problemSchema,
} as const;

export interface ObjectFields {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

type Direction = 'input' | 'output';

const REF = '#/components/schemas/';

/** zod leaves out the default of what is read from text, such as a number in a query. */
function withDefault({
  zodSchema,
  jsonSchema,
}: {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  if (zodSchema instanceof z.ZodDefault) jsonSchema.default ??= zodSchema.def.defaultValue;
}

function registered(schemas: Readonly<Record<string, z.ZodType>>, io: Direction) {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: named } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `${REF}${id}`,
    override: withDefault,
  });
  return { registry, named };
}

/** Every named schema, and what refers to them. */
export class SchemaBook {
  readonly #requests = registered(REQUESTS, 'input');
  readonly #answers = registered(ANSWERS, 'output');

  get components(): Record<string, JsonSchema> {
    const all = { ...this.#requests.named, ...this.#answers.named };
    return Object.fromEntries(
      Object.entries(all)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([id, schema]) => [id, bare(schema)]),
    );
  }

  /** The fields of an object that clients send, without a reference to its name. */
  object(schema: z.ZodType): ObjectFields {
    const id = this.#requests.registry.get(schema)?.id;
    const named = id === undefined ? undefined : this.#requests.named[id];
    return { properties: {}, required: [], ...(named ?? this.request(schema)) };
  }

  request(schema: z.ZodType): JsonSchema {
    return this.#refer(schema, 'input', this.#requests.registry);
  }

  answer(schema: z.ZodType): JsonSchema {
    return this.#refer(schema, 'output', this.#answers.registry);
  }

  #refer(schema: z.ZodType, io: Direction, registry: z.core.$ZodRegistry<{ id: string }>): JsonSchema {
    const id = registry.get(schema)?.id;
    if (id !== undefined) return { $ref: REF + id };
    return bare(
      z.toJSONSchema(schema, { io, metadata: z.registry(), unrepresentable: 'any', override: withDefault }),
    );
  }
}

function bare(schema: object): JsonSchema {
  const { $schema: _dialect, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rest;
}
