import type { Command } from 'commander';
import { type ClientOptions, clientOf, userName, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function addMcp(program: Command, terminal: Terminal): void {
  const command = withClientOptions(program.command('mcp'))
    .summary('serve MCP on standard input and output')
    .description(
      'Serves the tools of Signalbox by the Model Context Protocol on standard input and output, for the program that started it. Where and for whom is taken from the environment that Signalbox gives to agents (SIGNALBOX_URL, _PROJECT, _TASK_ID, _TOKEN).',
    )
    .action(async (options: ClientOptions) => {
      const { mcpOverStdio } = await import('../../client/mcp/stdio.ts');
      await mcpOverStdio({
        client: clientOf(options),
        env: process.env,
        project: options.project,
        author: userName(),
        cwd: process.cwd(),
        onError: (error) => terminal.note(`signalbox mcp: ${error.message}`),
      });
    });
  withExamples(command, [
    ['For Claude Code', 'claude mcp add signalbox -- signalbox mcp'],
    ['A session of a person in one project', 'signalbox mcp --project demo'],
  ]);
}
