/** `signalbox mcp`: the tools of Signalbox over the Model Context Protocol. */
import type { CommandRow } from '../command.ts';
import { type ClientOptions, clientOf, ownName, withProject } from '../options.ts';

export const mcp: CommandRow = {
  name: 'mcp',
  summary: 'serve MCP on standard input and output',
  description:
    'Serves the tools of Signalbox over the Model Context Protocol on standard input and output. Inside an attempt, it ' +
    'works on the task of that attempt, which it takes from the environment (SIGNALBOX_URL, _PROJECT, _TASK_ID, _TOKEN).',
  examples: [
    ['Add it to Claude Code', 'claude mcp add signalbox -- signalbox mcp'],
    ['Work on one project', 'signalbox mcp --project demo'],
  ],
  add: (command, terminal) =>
    withProject(command).action(async (options: ClientOptions) => {
      const { mcpOverStdio } = await import('../../client/mcp/stdio.ts');
      await mcpOverStdio({
        client: clientOf(options),
        env: process.env,
        project: options.project,
        author: ownName(options),
        cwd: process.cwd(),
        onError: (error) => terminal.note(`signalbox mcp: ${error.message}`),
      });
    }),
};
