/** What a person decides about an agent: one command for each decision. */
import type { Command } from 'commander';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { type DecisionOptions, decisionOf, withDecisionOptions } from '../decision-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

type AgentDecision = 'pause' | 'drain' | 'resume';
type Options = ServerOptions & DecisionOptions;

const COMMANDS: readonly {
  readonly name: AgentDecision;
  readonly description: string;
  readonly example: readonly [string, string];
}[] = [
  {
    name: 'pause',
    description: 'Hands an agent no new tasks, also after a restart. What it runs goes on.',
    example: ['While its prompts are changed', 'signalbox agent pause writer --comment "new prompts"'],
  },
  {
    name: 'drain',
    description:
      'Empties an agent: no new tasks, also after a restart. It is shown as drained when its last attempt has ended.',
    example: ['Before it is taken away', 'signalbox agent drain writer'],
  },
  {
    name: 'resume',
    description: 'Hands an agent tasks again that was paused, drained, or parked after failures.',
    example: ['Go on', 'signalbox agent resume writer'],
  },
];

export function addAgentDecisions(agent: Command, terminal: Terminal): void {
  for (const { name, description, example } of COMMANDS) {
    const command = withServerOptions(agent.command(name))
      .description(description)
      .argument('<id>', 'the agent');
    withDecisionOptions(command).action((id: string, options: Options) =>
      decide(terminal, name, id, options),
    );
    withExamples(command, [example]);
  }
}

async function decide(terminal: Terminal, name: AgentDecision, id: string, options: Options): Promise<void> {
  const agent = await clientOf(options)[`${name}Agent`]({ agent: id, ...decisionOf(options) });
  if (options.json) terminal.print(JSON.stringify(agent, null, 2));
  else
    terminal.print(
      `agent ${agent.id} is ${agent.state} now, with ${agent.running} of ${agent.concurrency} slots taken`,
    );
}
