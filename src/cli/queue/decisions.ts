/** What a person decides about a queue: one command for each decision. */
import { Argument, type Command } from 'commander';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { type DecisionOptions, decisionOf, withDecisionOptions } from '../decision-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

type QueueDecision = 'pause' | 'resume';
type Options = ServerOptions & DecisionOptions;

const COMMANDS: readonly {
  readonly name: QueueDecision;
  readonly description: string;
  readonly examples: readonly (readonly [string, string])[];
}[] = [
  {
    name: 'pause',
    description:
      'Hands out no task of a queue, whoever could take it, also after a restart. Tasks may be added, and what runs goes on. "agent pause" stops one agent for all its queues instead.',
    examples: [
      ['No task of a type for now', 'signalbox queue pause type build --comment "the test machine is moved"'],
      ['None of those for one agent; it still takes types', 'signalbox queue pause agent writer'],
    ],
  },
  {
    name: 'resume',
    description: 'Hands out the tasks of a queue again, at once.',
    examples: [['Go on', 'signalbox queue resume type build']],
  },
];

export function addQueueDecisions(queue: Command, terminal: Terminal): void {
  for (const { name, description, examples } of COMMANDS) {
    const command = withServerOptions(queue.command(name))
      .description(description)
      .addArgument(
        new Argument('<kind>', 'the queue of one agent, or that of a type').choices(['agent', 'type']),
      )
      .argument('<name>', 'the agent, or the type');
    withDecisionOptions(command).action((kind: QueueAnswer['kind'], id: string, options: Options) =>
      decide(terminal, name, { kind, name: id }, options),
    );
    withExamples(command, examples);
  }
}

async function decide(
  terminal: Terminal,
  decision: QueueDecision,
  { kind, name }: Pick<QueueAnswer, 'kind' | 'name'>,
  options: Options,
): Promise<void> {
  const queue = await clientOf(options)[`${decision}Queue`]({ kind, name, ...decisionOf(options) });
  if (options.json) terminal.print(JSON.stringify(queue, null, 2));
  else
    terminal.print(
      `the queue of ${kind} ${name} is ${queue.paused === null ? 'open' : 'paused'} now, with ${queue.pending} pending`,
    );
}
