/** Templates of tasks: in the configuration, in requests and in answers. */
import { z } from 'zod';
import { followUpSchema, taskTextSchema } from './api/requests.ts';
import { id, title } from './fields.ts';
import { REQUEST_FIELDS } from './task-fields.ts';
import { placeholdersIn } from './template-text.ts';

/** What stands in the texts of follow-ups, and is filled in when they are created. */
const OF_FOLLOW_UPS: ReadonlySet<string> = new Set(['outputs', 'title', 'task_id']);

const inputName = z
  .string()
  .max(64)
  .regex(/^\w+$/, 'expected letters, digits and "_"')
  .refine((name) => !OF_FOLLOW_UPS.has(name), 'expected another name: this one is used in follow-ups');

const inputSchema = z.strictObject({
  about: z.string().max(500).default('').describe('What it is, for those who fill it in.'),
  default: z
    .string()
    .max(20_000)
    .optional()
    .describe('Its value if none is given. Without one, it is needed.'),
});

/** A template in the configuration, where its id is the key. */
export const templateConfigSchema = z
  .strictObject({
    about: z.string().max(500).default('').describe('What it is for.'),
    project: id.optional().describe('The project that clients propose for its tasks.'),
    inputs: z
      .record(inputName, inputSchema)
      .default({})
      .describe('What is filled in: {{name}} in the texts of the task stands for the input of this name.'),
    task: followUpSchema,
  })
  .superRefine(({ inputs, task }, { addIssue }) => {
    const { follow_ups, ...own } = task;
    const known = new Set([...Object.keys(inputs), ...(follow_ups ? OF_FOLLOW_UPS : [])]);
    for (const part of [own, follow_ups]) {
      const unknown = placeholdersIn(part).find((name) => !known.has(name));
      if (unknown === undefined) continue;
      addIssue({
        code: 'custom',
        path: ['task'],
        message: `has {{${unknown}}}, which is no input: add it below "inputs"`,
      });
    }
  });
export type TemplateConfig = z.output<typeof templateConfigSchema>;
export type Templates = Readonly<Record<string, TemplateConfig>>;

/** A task from a template: its inputs, and fields that are different from it. */
export const fromTemplateSchema = z.strictObject({
  ...REQUEST_FIELDS,
  title: title.optional(),
  description: taskTextSchema.optional(),
  outputs: z.enum(['required', 'optional']).optional(),
  inputs: z.record(z.string().max(64), z.string().max(400_000)).default({}),
});
export type FromTemplate = z.output<typeof fromTemplateSchema>;

export const templateAnswerSchema = z.strictObject({
  id: z.string(),
  about: z.string(),
  project: z.string().nullable(),
  inputs: z.array(z.strictObject({ name: z.string(), about: z.string(), default: z.string().nullable() })),
  /** The fields of the request, with placeholders. */
  task: z.looseObject({ title: z.string() }),
});
export type TemplateAnswer = z.output<typeof templateAnswerSchema>;

export const templateListSchema = z.strictObject({ templates: z.array(templateAnswerSchema) });
