/** `signalbox agent`: the agents of a running Signalbox. */

import { oneLine } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import type { RuleList } from '../../contracts/api/questions.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { RejectionRecord } from '../../contracts/messages/rejections.ts';
import { agentArgument, numberOf } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import {
  byOf,
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withBy,
  withDecision,
  withServer,
} from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import type { Style, Terminal } from '../terminal.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

const LIMIT = 100;

const ls: CommandRow = {
  name: 'ls',
  summary: 'list agents',
  description: 'Lists the configured agents with their state, used slots, and why an agent takes no tasks.',
  examples: [
    ['List all agents', 'signalbox agent ls'],
    [
      'Ids of the agents that take no tasks, for a script',
      'signalbox agent ls --json | jq -r \'.[] | select(.state != "idle" and .state != "busy") | .id\'',
    ],
  ],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { agents: rows } = await clientOf(options).listAgents();
      printList(terminal, options, { rows, columns: agentColumns, empty: 'no agents are configured' });
    }),
};

function agentColumns(now: number): readonly Column<AgentAnswer>[] {
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    { title: 'STATE', text: ({ state }) => state, style: styleOf },
    { title: 'SLOTS', text: ({ running, concurrency }) => `${running}/${concurrency}`, align: 'right' },
    { title: 'SINCE', text: ({ since }) => (since === null ? '-' : ageText(since, now)), align: 'right' },
    { title: 'FAILED', text: ({ failures }) => failures, align: 'right' },
    { title: 'DRIVER', text: ({ driver }) => driver },
    { title: 'CAPABILITIES', text: ({ capabilities }) => capabilities.join(' ') },
    { title: 'WHY', text: holdText },
  ];
}

const show: CommandRow = {
  name: 'show',
  summary: 'show an agent',
  description: 'Shows an agent, why it takes no tasks, and its open attempts.',
  examples: [['Show one agent', 'signalbox agent show writer']],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(agentArgument())
      .action(async (id: string, options: ServerOptions) => {
        const answer = await clientOf(options).readAgent({ agent: id });
        printAnswer(terminal, options, answer, (agent) => agentLines(terminal, agent, Date.now()));
      }),
};

const LABEL_WIDTH = 15;

function agentLines(terminal: Pick<Terminal, 'style'>, agent: AgentAnswer, now: number): string[] {
  const { id, state, since, running, concurrency, failures, driver, capabilities } = agent;
  const age = since === null ? '' : `, for ${ageText(since, now)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['why', holdText(agent)],
    ['slots', `${running} of ${concurrency} used`],
    ['failed in a row', String(failures)],
    ['driver', driver],
    ['capabilities', capabilities.join(' ')],
  ];
  const attempts = (agent.open_attempts ?? []).map(
    (each) => `  ${taskKey(each)}, attempt ${each.attempt}: ${each.status}`,
  );
  return [
    `agent ${id} is ${terminal.style(styleOf(agent), state)}${age}`,
    ...facts
      .filter(([, value]) => value !== '')
      .map(([label, value]) => `  ${terminal.style('dim', label.padEnd(LABEL_WIDTH))}  ${oneLine(value)}`),
    ...(attempts.length === 0 ? [] : [terminal.style('bold', 'Open attempts'), ...attempts]),
  ];
}

interface AgentDecision {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: Example;
  readonly send: (
    client: SignalboxClient,
    input: Decision & { readonly agent: string },
  ) => Promise<AgentAnswer>;
}

const DECISIONS: readonly AgentDecision[] = [
  {
    name: 'pause',
    summary: 'stop assigning tasks to an agent',
    description: 'Stops assigning tasks to an agent. Running attempts continue. Survives restarts.',
    example: [
      'Pause an agent while its prompts change',
      'signalbox agent pause writer --comment "new prompts"',
    ],
    send: (client, input) => client.pauseAgent(input),
  },
  {
    name: 'drain',
    summary: 'empty an agent: no new tasks, until its last attempt has ended',
    description:
      'Empties an agent: no new tasks are assigned, and it is shown as drained when its last attempt has ended. ' +
      'Survives restarts.',
    example: ['Drain an agent before removing it', 'signalbox agent drain writer'],
    send: (client, input) => client.drainAgent(input),
  },
  {
    name: 'resume',
    summary: 'resume an agent that takes no tasks',
    description: 'Resumes an agent that is paused, draining, drained, or parked after failures.',
    example: ['Assign tasks again', 'signalbox agent resume writer'],
    send: (client, input) => client.resumeAgent(input),
  },
];

function decisionRow({ name, summary, description, example, send }: AgentDecision): CommandRow {
  return {
    name,
    summary,
    description,
    examples: [example],
    add: (command, terminal) =>
      withDecision(withServer(command))
        .addArgument(agentArgument())
        .action(async (id: string, options: ServerOptions & DecisionOptions) => {
          const answer = await send(clientOf(options), { agent: id, ...decisionOf(options) });
          printAnswer(
            terminal,
            options,
            answer,
            (agent) =>
              `agent ${agent.id} is now ${agent.state}, ${agent.running} of ${agent.concurrency} slots used`,
          );
        }),
  };
}

const rejected: CommandRow = {
  name: 'rejected',
  summary: 'list rejected messages of agents',
  description: 'Lists messages of agents over NATS that were rejected, newest first, with the reason.',
  examples: [['Find out why results of an agent do not arrive', 'signalbox agent rejected builder']],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(agentArgument('[id]', 'the agent (default: all agents)'))
      .option('--limit <number>', 'list at most this many', numberOf, LIMIT)
      .action(async (agent: string | undefined, options: ServerOptions & { readonly limit: number }) => {
        const { limit } = options;
        const answer = await clientOf(options).listRejectedMessages({ agent, limit });
        const { rejected_messages: rows } = answer;
        printList(terminal, options, { rows, columns: rejectedColumns, empty: 'no message was rejected' });
      }),
};

function rejectedColumns(now: number): readonly Column<RejectionRecord>[] {
  return [
    { title: 'AGENT', text: ({ agent }) => agent, isName: true },
    { title: 'AGE', text: ({ time }) => ageText(time, now), align: 'right' },
    { title: 'KIND', text: ({ kind }) => kind },
    { title: 'CODE', text: ({ code }) => code },
    { title: 'REASON', text: ({ reason }) => oneLine(reason) },
  ];
}

const rules: CommandRow = {
  name: 'rules',
  summary: 'list the rules about permissions of an agent',
  description:
    'Lists the rules that decide about permissions of an agent, in the order in which they are tried: those of the ' +
    'configuration, then those that answers recorded.',
  examples: [['See what an agent may do without a question', 'signalbox agent rules coder']],
  add: (command, terminal) =>
    withServer(command)
      .addArgument(agentArgument())
      .action(async (id: string, options: ServerOptions) => {
        const list = await clientOf(options).listRules({ agent: id });
        printRules(terminal, options, list);
      }),
};

const revoke: CommandRow = {
  name: 'revoke',
  summary: 'revoke a recorded rule of an agent',
  description: 'Revokes a rule that an answer recorded: the next question like it is asked again.',
  examples: [['Ask again', 'signalbox agent revoke coder k3v9x2m1q8zt']],
  add: (command, terminal) =>
    withBy(withServer(command))
      .addArgument(agentArgument())
      .argument('<rule>', 'the id of the rule')
      .action(async (id: string, rule: string, options: ServerOptions & DecisionOptions) => {
        const list = await clientOf(options).revokeRule({ agent: id, rule, ...byOf(options) });
        printRules(terminal, options, list);
      }),
};

function printRules(terminal: Terminal, options: ServerOptions, list: RuleList): void {
  const usual = {
    id: null,
    scope: 'agent',
    task: null,
    tool: '*',
    input: null,
    decision: list.default,
    by: 'default',
  };
  const rows = [...list.rules, { ...usual, recorded_at: null }];
  printList(terminal, options, { rows, columns: ruleColumns, empty: '' });
}

function ruleColumns(): readonly Column<Omit<RuleList['rules'][number], 'scope'>>[] {
  return [
    { title: 'RULE', text: ({ id }) => id ?? '-', isName: true },
    { title: 'DECISION', text: ({ decision }) => decision },
    { title: 'TOOL', text: ({ tool }) => oneLine(tool) },
    { title: 'INPUT', text: ({ input }) => oneLine(input ?? '*') },
    { title: 'FOR', text: ({ task }) => task ?? 'all tasks' },
    { title: 'BY', text: ({ by }) => by },
  ];
}

export const agent: CommandRow = {
  name: 'agent',
  summary: 'list agents; pause, drain or resume one; list rejected messages',
  description: 'Lists agents, pauses, drains and resumes them, and lists their rejected messages.',
  examples: [
    ['List all agents', 'signalbox agent ls'],
    ['Pause an agent', 'signalbox agent pause writer --comment "new prompts"'],
  ],
  commands: [ls, show, ...DECISIONS.map(decisionRow), rules, revoke, rejected],
};

const STYLES: Readonly<Record<string, Style>> = {
  idle: 'green',
  busy: 'cyan',
  paused: 'yellow',
  draining: 'yellow',
  drained: 'yellow',
  probing: 'yellow',
  parked: 'red',
  offline: 'red',
};

function styleOf({ state }: AgentAnswer): Style {
  return STYLES[state] ?? 'dim';
}

/** Why an agent takes no tasks, who decided it, and until when; empty if it takes tasks. */
function holdText({ reason, by, parked_until: until, budget }: AgentAnswer): string {
  const own = [reason, by === null ? null : `by ${by}`, until === null ? null : `until ${until}`];
  const ofBudget =
    budget === null ? [] : [budget.detail, budget.until === null ? null : `until ${budget.until}`];
  const parts = [own, ofBudget].map((each) => each.filter((part) => part !== null).join(', '));
  return parts.filter((part) => part !== '').join('; ');
}
