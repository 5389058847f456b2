/** Templates of the configuration, and the requests that they stand for. */
import type { CreateTask, FollowUp } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { filled } from '../../contracts/template-text.ts';
import type { FromTemplate, TemplateAnswer, TemplateConfig } from '../../contracts/templates.ts';
import type { Needs } from '../context.ts';

export function listTemplates({ settings }: Needs<'settings.templates'>): TemplateAnswer[] {
  return Object.entries(settings.templates()).map(([id, { about, project = null, inputs, task }]) => ({
    id,
    about,
    project,
    inputs: Object.entries(inputs).map(([name, input]) => ({
      name,
      about: input.about,
      default: input.default ?? null,
    })),
    task: { ...task },
  }));
}

/**
 * The request for a task from a template, not checked yet. What is given goes before what the template says; labels and
 * parameters of both are put together.
 * @throws SignalboxError `template_not_found`, `invalid_request` for an input that is missing or unknown
 */
export function requestFrom(
  { settings }: Needs<'settings.templates'>,
  id: string,
  { inputs, ...given }: FromTemplate,
): FollowUp & Partial<CreateTask> {
  const templates = settings.templates();
  const template = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!template) {
    const known = Object.keys(templates);
    const message = `there is no template ${id}; the configuration has: ${known.join(', ') || 'none'}`;
    throw new SignalboxError('template_not_found', message, { details: { template: id, known } });
  }
  const { agent, ...task } = filled(template.task, valuesOf(id, template, inputs));
  // A type that is given stands for any agent.
  const own = { ...task, ...(given.type === undefined && agent !== undefined && { agent }) };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    source: `template ${id}`,
    ...own,
    ...present,
    ...both('labels', own, given),
    ...both('params', own, given),
  };
}

function both(name: 'labels' | 'params', own: FollowUp, given: Omit<FromTemplate, 'inputs'>): object {
  return own[name] || given[name] ? { [name]: { ...own[name], ...given[name] } } : {};
}

/** @throws SignalboxError `invalid_request` */
function valuesOf(
  id: string,
  { inputs }: TemplateConfig,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = Object.keys(inputs);
  const faults = [
    ...Object.keys(given)
      .filter((name) => !names.includes(name))
      .map((name) => ({
        path: `inputs.${name}`,
        message: `template ${id} has no such input; it has: ${names.join(', ') || 'none'}`,
      })),
    ...names
      .filter((name) => given[name] === undefined && inputs[name]?.default === undefined)
      .map((name) => ({ path: `inputs.${name}`, message: `is missing: template ${id} needs it` })),
  ];
  if (faults.length > 0) {
    const text = faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new SignalboxError('invalid_request', text, { details: { errors: faults } });
  }
  return Object.fromEntries(names.map((name) => [name, given[name] ?? inputs[name]?.default ?? '']));
}
