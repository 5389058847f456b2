/** `signalbox task steer`: a message to the agent of a task. */
import { printable } from '../../base/text/printable.ts';
import { OPEN_STATUSES, taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ByOption, byOf, type ClientOptions, clientOf, withBy, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';

export const steer: CommandRow = {
  name: 'steer',
  summary: 'send a message to the agent of a task',
  description:
    'Sends a message to the agent of a task: into the running agent if it can take it, else with the next answer that it ' +
    'gets from Signalbox, else in the prompt of the next attempt. The log says which.',
  examples: [['Correct an agent while it works', 'signalbox task steer k3v9x2m1q8zt "Use the new parser."']],
  add: (command, terminal) =>
    withBy(withProject(command))
      .addArgument(taskArgument(OPEN_STATUSES))
      .argument('<text>', 'the message')
      .action(async (task: string, text: string, options: ClientOptions & ByOption) => {
        const { project } = options;
        const sent = await clientOf(options).steerTask({ project, task, text, ...byOf(options) });
        printAnswer(terminal, options, sent, ({ id }) =>
          printable(`message ${id} to the agent of task ${task}`),
        );
      }),
};
