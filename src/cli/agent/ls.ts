import type { Command } from 'commander';
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { holdText, styleOfAgent } from './agent-text.ts';

export function addAgentLs(agent: Command, terminal: Terminal): void {
  const command = withServerOptions(agent.command('ls'))
    .summary('list agents')
    .description('Lists the configured agents: their state, their slots, and why one takes no tasks.')
    .action(async (options: ServerOptions) => {
      const agents = (await clientOf(options).listAgents()).agents;
      if (options.json) terminal.print(JSON.stringify(agents, null, 2));
      else if (agents.length === 0) terminal.note('no agents: the configuration has none');
      else for (const line of tableLines(terminal, columnsOf(Date.now()), agents)) terminal.print(line);
    });
  withExamples(command, [
    ['Who is there, and who is held up', 'signalbox agent ls'],
    [
      'The agents that take no tasks, for a script',
      'signalbox agent ls --json | jq -r \'.[] | select(.state != "idle" and .state != "busy") | .id\'',
    ],
  ]);
}

function columnsOf(now: number): Column<AgentAnswer>[] {
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    { title: 'STATE', text: ({ state }) => state, style: styleOfAgent },
    { title: 'SLOTS', text: ({ running, concurrency }) => `${running}/${concurrency}`, align: 'right' },
    { title: 'SINCE', text: ({ since }) => (since === null ? '-' : ageText(since, now)), align: 'right' },
    { title: 'FAILED', text: ({ failures }) => failures, align: 'right' },
    { title: 'DRIVER', text: ({ driver }) => driver },
    { title: 'CAPABILITIES', text: ({ capabilities }) => capabilities.join(' ') },
    { title: 'WHY', text: holdText },
  ];
}
