/** Tasks from templates of the configuration. */
import { createTaskSchema } from '../../contracts/api/requests.ts';
import { fromTemplateSchema, templateListSchema } from '../../contracts/templates.ts';
import { TRACE_HEADERS, traceIn, withIdempotencyKey } from '../headers.ts';
import { json, NO_INPUT, operation, Reply } from '../operation.ts';
import { templateParams } from '../params.ts';
import { parse } from '../parse.ts';
import { createTask } from './tasks.ts';

export const listTemplates = operation({
  name: 'listTemplates',
  group: 'Tasks',
  summary: 'List the templates of tasks that the configuration has',
  access: 'read',
  http: { method: 'GET', path: '/api/templates' },
  input: NO_INPUT,
  answers: { 200: json(templateListSchema, 'The templates.') },
  handle: ({ templates }) => ({ templates: templates.list() }),
});

export const createFromTemplate = operation({
  name: 'createFromTemplate',
  group: 'Tasks',
  summary: 'Create a task from a template; fields that are given go before those of the template',
  access: 'create',
  http: { method: 'POST', path: '/api/projects/{project}/templates/{template}' },
  input: { ...NO_INPUT, params: templateParams, body: fromTemplateSchema },
  example: { inputs: { file: 'src/parser.ts' }, priority: 'high' },
  headers: { 'Idempotency-Key': 'The same as the field "idempotency_key".', ...TRACE_HEADERS },
  answers: createTask.answers,
  errors: [...(createTask.errors ?? []), 'template_not_found'],
  isIdempotent: ({ id, idempotency_key }) => id !== undefined || idempotency_key !== undefined,
  handle: async ({ templates, tasks }, { params, body, headers, caller }) => {
    const request = parse(createTaskSchema, templates.requestFrom(params.template, body), 'body');
    const keyed = withIdempotencyKey(request, headers);
    const { task, created } = await tasks.create(params.project, keyed, caller, traceIn(headers));
    const location = `/api/projects/${task.project}/tasks/${task.id}`;
    return new Reply(created ? 201 : 200, { headers: { location }, body: task });
  },
});
