/** `signalbox template`: the templates of tasks that the configuration has. */
import { oneLine } from '../../base/text/printable.ts';
import type { TemplateAnswer } from '../../contracts/templates.ts';
import type { CommandRow } from '../command.ts';
import { clientOf, type ServerOptions, withServer } from '../options.ts';
import { printList } from '../output.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list templates',
  description: 'Lists the templates of tasks that the configuration has, with their inputs.',
  examples: [['List templates', 'signalbox template ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { templates: rows } = await clientOf(options).listTemplates();
      const empty = 'no templates: add some below "templates" in the configuration';
      printList(terminal, options, {
        rows,
        columns: () => [
          { title: 'ID', text: ({ id }) => id },
          { title: 'INPUTS', text: inputsText },
          { title: 'PROJECT', text: ({ project }) => project ?? '' },
          { title: 'TITLE', text: ({ task }) => oneLine(task.title) },
          { title: 'ABOUT', text: ({ about }) => oneLine(about) },
        ],
        empty,
      });
    }),
};

/** An input with a default may be left out. */
function inputsText({ inputs }: TemplateAnswer): string {
  return inputs
    .map(({ name, default: value }) => (value === null ? name : `${name}=${oneLine(value)}`))
    .join(', ');
}

export const template: CommandRow = {
  name: 'template',
  summary: 'list the templates of tasks',
  description:
    'Lists the templates of tasks that the configuration has. To create a task, use "task add --template".',
  examples: [['List templates', 'signalbox template ls']],
  commands: [ls],
};
