import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface DriverOptions {
  readonly config?: string;
  readonly json?: true;
}

export interface DriverTestOptions extends DriverOptions {
  readonly recording?: string;
}

/** The commands about drivers. They need no running Signalbox. */
export function addDriverCommands(program: Command, terminal: Terminal): void {
  const driver = program.command('driver').description('list, show and test the drivers of agents');
  const withConfig = (command: Command): Command =>
    command
      .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
      .option('--json', 'print JSON for programs');
  const ls = withConfig(driver.command('ls'))
    .description('Lists the drivers that come along, and those of the configuration.')
    .action(async (options: DriverOptions) => (await import('./ls.ts')).listDrivers(terminal, options));
  withExamples(ls, [['Which there are', 'signalbox driver ls']]);
  const show = withConfig(driver.command('show'))
    .description('Shows a driver as it would stand in the configuration: a start for one of your own.')
    .argument('<driver>', 'its name')
    .action(async (name: string, options: DriverOptions) =>
      (await import('./show.ts')).showDriver(terminal, name, options),
    );
  withExamples(show, [['How Codex is started and understood', 'signalbox driver show codex']]);
  const test = withConfig(driver.command('test'))
    .description(
      'Runs a driver against a program that misbehaves in every way, in the place of the real one, and prints what holds.',
    )
    .argument('<driver>', 'its name')
    .option('--recording <file>', 'what the real program has printed in a run that went well')
    .action(async (name: string, options: DriverTestOptions) =>
      (await import('./test.ts')).testDriver(terminal, name, options),
    );
  withExamples(test, [
    ['A driver that comes along', 'signalbox driver test claude'],
    ['One of your own, with a recording', 'signalbox driver test aider --recording success.txt'],
  ]);
  driver.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox driver ls\n  $ signalbox driver test claude\n\n${exitCodesText()}`,
  );
}
