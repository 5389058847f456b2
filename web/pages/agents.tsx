/** All agents: how busy each is, and which tasks wait for it. */
import type { AgentAnswer, AnswerOf, QueueAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, StateBadge } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref } from '../parts/base/links.tsx';
import { Page, type PageProps } from '../parts/base/page.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { board } from '../state/board.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';

export function AgentsPage({ title }: PageProps) {
  const queues = useResource<AnswerOf<'listQueues'>>('/api/queues', { everyMs: 3_000 });
  const shown = board.value;
  if (!shown) return <Loading what="the agents" />;
  return (
    <Page title={title}>
      {shown.agents.length === 0 && (
        <Empty title="No agents are configured.">
          <p>
            Add one under <code>agents</code> in <code>signalbox.config.yaml</code>.
          </p>
        </Empty>
      )}
      <ul class="agents" data-group>
        {shown.agents.map((agent) => (
          <Agent key={agent.id} agent={agent} queues={queues.value?.queues ?? []} />
        ))}
      </ul>
    </Page>
  );
}

interface AgentProps {
  readonly agent: AgentAnswer;
  readonly queues: readonly QueueAnswer[];
}

function Agent({ agent, queues }: AgentProps) {
  return (
    <li class="agent" data-item data-agent={agent.id}>
      <header>
        <h2>
          <a href={agentHref(agent.id)}>{agent.id}</a>
        </h2>
        <StateBadge state={agent.state} />
      </header>
      <Slots agent={agent} />
      <p class="dim">
        {agent.driver}
        {agent.capabilities.length > 0 && `: ${agent.capabilities.join(', ')}`}
      </p>
      {past.value === null && <WaitingTasks agent={agent} queues={queues} />}
      {agent.failures > 0 && <p class="warn-text">Consecutive failures: {number(agent.failures)}</p>}
      {agent.parked_until !== null && (
        <p class="warn-text">
          Next attempt: <Ago time={agent.parked_until} />
        </p>
      )}
      {agent.reason !== null && (
        <p class="dim">
          <Line text={agent.reason} />
        </p>
      )}
      {agent.budget !== null && <BudgetHold budget={agent.budget} />}
      <AgentActions agent={agent} />
    </li>
  );
}

/** The budget that holds back an agent. */
export function BudgetHold({
  budget: { detail, until },
}: {
  readonly budget: NonNullable<AgentAnswer['budget']>;
}) {
  return (
    <p class="warn-text">
      <a href="/ui/usage">
        <Line text={detail} />
      </a>
      {until !== null && (
        <>
          , ends <Ago time={until} />
        </>
      )}
    </p>
  );
}

/** Agents with more slots show only the number. */
const MAX_DRAWN_SLOTS = 24;

export function Slots({ agent: { running, concurrency } }: { readonly agent: AgentAnswer }) {
  const text = `${running} of ${concurrency} slots in use`;
  return (
    <p class="slots" title={text}>
      <span aria-hidden="true">
        {concurrency <= MAX_DRAWN_SLOTS &&
          Array.from({ length: concurrency }, (_, index) => <i key={index} data-used={index < running} />)}
      </span>
      {text}
    </p>
  );
}

function WaitingTasks({ agent, queues }: AgentProps) {
  const own = queues.filter(
    ({ agents, pending, scheduled }) => agents.includes(agent.id) && pending + scheduled > 0,
  );
  if (own.length === 0) return <p class="dim">No tasks are waiting.</p>;
  return (
    <ul class="plain">
      {own.map(({ kind, name, pending, scheduled, oldest_pending_at, paused }) => (
        <li key={kind + name}>
          {kind === 'agent' ? 'own queue' : `type ${name}`}: {number(pending)} pending
          {scheduled > 0 && `, ${number(scheduled)} scheduled`}
          {oldest_pending_at !== null && (
            <span class="dim">
              , oldest <Ago time={oldest_pending_at} />
            </span>
          )}
          {paused !== null && <span class="warn-text">, paused by {paused.by}</span>}
        </li>
      ))}
    </ul>
  );
}
