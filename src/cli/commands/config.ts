/** `signalbox config`: checks the configuration. */
import { printable } from '../../base/text/printable.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { CommandRow } from '../command.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { type ConfigOptions, type JsonOption, withConfig, withJson } from '../options.ts';
import { countText, printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';

interface CheckOptions extends JsonOption {
  readonly schema?: true;
}

const check: CommandRow = {
  name: 'check',
  description:
    'Checks a configuration file and the environment variables that override it, and prints errors with line and field. ' +
    'Warns about programs, directories and variables that are missing on this machine, and about an address that other ' +
    'machines can reach. Warnings do not change the exit code, since Signalbox may run on another machine.',
  summary: 'check a configuration file',
  examples: [
    ['Check the configuration in this directory', 'signalbox config check'],
    ['Write a JSON Schema for your editor', 'signalbox config check --schema > signalbox.schema.json'],
  ],
  add: (command, terminal) =>
    withJson(command)
      .argument('[file]', 'configuration file (default: signalbox.config.yaml, if it exists)')
      .option('--schema', 'print the JSON Schema of the file instead')
      .action(async (file: string | undefined, options: CheckOptions) => {
        if (!options.schema) return checkFile(terminal, file, options);
        const { configJsonSchema } = await import('../../config/parse-config.ts');
        printJson(terminal, configJsonSchema());
      }),
};

async function checkFile(
  terminal: Terminal,
  file: string | undefined,
  { json }: CheckOptions,
): Promise<void> {
  const { loadConfigFor } = await import('../config-file.ts');
  const { warningsOf } = await import('../../config/warnings.ts');
  const { fieldOf } = await import('../../config/issues.ts');
  try {
    const { config, source } = await loadConfigFor({ config: file });
    const agents = Object.keys(config.agents);
    const warnings = warningsOf(config, process.env).map(({ path, message }) => ({
      field: fieldOf(path),
      message,
    }));
    if (json) return printJson(terminal, { valid: true, file: source, agents, issues: [], warnings });
    const list =
      agents.length === 0 ? 'no agents' : `${countText(agents.length, 'agent')}: ${agents.join(', ')}`;
    terminal.print(
      `${source ?? 'no configuration file: the defaults apply, and the configuration'} is valid, with ${list}`,
    );
    for (const { field, message } of warnings) terminal.note(`warning: ${field}: ${printable(message)}`);
  } catch (error) {
    if (!json || !(error instanceof SignalboxError) || error.code !== 'config_invalid') throw error;
    printJson(terminal, { valid: false, file: file ?? null, agents: [], issues: error.details.issues });
    terminal.exitCode = exitCodeOf(error.code);
  }
}

const reload: CommandRow = {
  name: 'reload',
  summary: 'apply changed agents to the running Signalbox',
  description:
    'Checks the configuration, and tells the Signalbox of this machine that uses its data directory to read it again (SIGHUP). ' +
    'Agents are added, changed and removed; running attempts go on. The log of "signalbox up" says what has changed, and what needs a restart.',
  examples: [['Apply changed agents', 'signalbox config reload']],
  add: (command, terminal) =>
    withConfig(command).action(async (options: ConfigOptions) => {
      const { loadConfigFor } = await import('../config-file.ts');
      const { signalHolder } = await import('../signal-holder.ts');
      const { config: checked } = await loadConfigFor(options);
      const pid = await signalHolder(checked.data_dir, 'SIGHUP');
      terminal.print(`told process ${pid} to reload its configuration; its log says what has changed`);
    }),
};

export const config: CommandRow = {
  name: 'config',
  description: 'Checks the configuration, and applies changes to the running Signalbox.',
  summary: 'check and reload the configuration',
  examples: [
    ['Check a file', 'signalbox config check signalbox.config.yaml'],
    ['Apply changed agents', 'signalbox config reload'],
  ],
  commands: [check, reload],
};
