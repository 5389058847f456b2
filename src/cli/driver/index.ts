/** `signalbox driver`: the drivers of agents. Needs no running Signalbox. */
import { CompletedArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { withConfigFile, withJson } from '../options.ts';
import type { DriverOptions, DriverTestOptions } from './drivers.ts';

const driverArgument = () => new CompletedArgument('<driver>', 'name of the driver', { kind: 'drivers' });

const ls: CommandRow = {
  name: 'ls',
  summary: 'list drivers',
  description: 'Lists the built-in drivers and those of the configuration.',
  examples: [['List drivers', 'signalbox driver ls']],
  add: (command, terminal) =>
    withJson(withConfigFile(command)).action(async (options: DriverOptions) =>
      (await import('./drivers.ts')).listDrivers(terminal, options),
    ),
};

const show: CommandRow = {
  name: 'show',
  summary: 'show the declaration of a driver',
  description: 'Shows a driver as YAML for the configuration: a starting point for your own driver.',
  examples: [['Show how Codex is started and its output is read', 'signalbox driver show codex']],
  add: (command, terminal) =>
    withJson(withConfigFile(command))
      .addArgument(driverArgument())
      .action(async (name: string, options: DriverOptions) =>
        (await import('./drivers.ts')).showDriver(terminal, name, options),
      ),
};

const test: CommandRow = {
  name: 'test',
  summary: 'test a driver',
  description:
    'Tests a driver with a fake program that fails, hangs and misbehaves, and prints the result of each check.',
  examples: [
    ['Test a built-in driver', 'signalbox driver test claude'],
    ['Test your own driver with a recorded output', 'signalbox driver test aider --recording success.txt'],
  ],
  add: (command, terminal) =>
    withJson(withConfigFile(command))
      .addArgument(driverArgument())
      .option('--recording <file>', 'output of the real program in a successful run')
      .action(async (name: string, options: DriverTestOptions) =>
        (await import('./drivers.ts')).testDriver(terminal, name, options),
      ),
};

export const driver: CommandRow = {
  name: 'driver',
  summary: 'list, show and test the drivers of agents',
  description: 'Lists, shows and tests the drivers of agents.',
  examples: [
    ['List drivers', 'signalbox driver ls'],
    ['Test a driver', 'signalbox driver test claude'],
  ],
  commands: [ls, show, test],
};
