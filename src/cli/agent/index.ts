import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addAgentDecisions } from './decisions.ts';
import { addAgentLs } from './ls.ts';
import { addAgentRejected } from './rejected.ts';
import { addAgentShow } from './show.ts';

/** The commands about the agents of a running Signalbox. */
export function addAgentCommands(program: Command, terminal: Terminal): void {
  const agent = program
    .command('agent')
    .description('list, show, pause, drain and resume agents; what was refused of their messages');
  addAgentLs(agent, terminal);
  addAgentShow(agent, terminal);
  addAgentDecisions(agent, terminal);
  addAgentRejected(agent, terminal);
  agent.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox agent ls\n  $ signalbox agent pause writer --comment "new prompts"\n\n${exitCodesText()}`,
  );
}
