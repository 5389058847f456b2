import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly schema?: true;
  readonly json?: true;
}

export function addConfig(program: Command, terminal: Terminal): void {
  const config = program.command('config').description('check the configuration');
  const command = config
    .command('check')
    .description(
      'Checks a configuration and the variables of the environment that replace settings, and says what is wrong, with ' +
        'line and field.',
    )
    .argument('[file]', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--schema', 'print the JSON Schema of the file instead, for editors')
    .option('--json', 'print JSON for programs')
    .action(async (file: string | undefined, options: CheckOptions) => {
      const { check, printSchema } = await import('./check.ts');
      if (options.schema) printSchema(terminal);
      else await check(terminal, file, options);
    });
  withExamples(command, [
    ['The configuration of this directory', 'signalbox config check'],
    ['A schema for the editor', 'signalbox config check --schema > signalbox.schema.json'],
  ]);
  config.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox config check signalbox.config.yaml\n\n${exitCodesText()}`,
  );
}
