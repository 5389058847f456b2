import type { Command } from 'commander';
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import { ageText } from '../text/time.ts';
import { holdText, styleOfAgent } from './agent-text.ts';

const LABEL_WIDTH = 15;

export function addAgentShow(agent: Command, terminal: Terminal): void {
  const command = withServerOptions(agent.command('show'))
    .summary('show an agent')
    .description('Shows an agent, why it takes no tasks, and the attempts that it has open.')
    .argument('<id>', 'the agent')
    .action(async (id: string, options: ServerOptions) => {
      const answer = await clientOf(options).readAgent({ agent: id });
      if (options.json) terminal.print(JSON.stringify(answer, null, 2));
      else for (const line of agentLines(terminal, answer, Date.now())) terminal.print(line);
    });
  withExamples(command, [['One agent, and what it does', 'signalbox agent show writer']]);
}

function agentLines(terminal: Pick<Terminal, 'style'>, agent: AgentAnswer, now: number): string[] {
  const { id, state, since, running, concurrency, failures, driver, capabilities } = agent;
  const age = since === null ? '' : `, for ${ageText(since, now)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['why', holdText(agent)],
    ['slots', `${running} of ${concurrency} taken`],
    ['failed in a row', String(failures)],
    ['driver', driver],
    ['capabilities', capabilities.join(' ')],
  ];
  const attempts = (agent.open_attempts ?? []).map(
    (each) => `  ${each.project}/${each.task}, attempt ${each.attempt}: ${each.status}`,
  );
  return [
    `agent ${id} is ${terminal.style(styleOfAgent(agent), state)}${age}`,
    ...facts
      .filter(([, value]) => value !== '')
      .map(([label, value]) => `  ${terminal.style('dim', label.padEnd(LABEL_WIDTH))}  ${oneLine(value)}`),
    ...(attempts.length === 0 ? [] : [terminal.style('bold', 'Open attempts'), ...attempts]),
  ];
}
