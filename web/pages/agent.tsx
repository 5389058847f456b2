/** One agent: its state, and its open attempts. */
import { useRoute } from 'preact-iso';
import { path } from '../api/http.ts';
import type { AgentAnswer } from '../api/types.ts';
import { Ago, Empty, Facts, Section, StateBadge } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { Page, Waiting } from '../parts/base/page.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { Tabs } from '../parts/base/tabs.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { Note } from '../parts/task/note.tsx';
import { board } from '../state/board.ts';
import { keyOf, shownStatus } from '../state/cards.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';
import { BudgetHold, Slots } from './agents.tsx';

export function AgentPage() {
  const { agent: id = '' } = useRoute().params;
  const known = board.value?.agents.find((each) => each.id === id);
  const resource = useResource<AgentAnswer>(path`/api/agents/${id}`, {
    version: JSON.stringify(known),
    everyMs: 3_000,
  });
  const agent = past.value === null ? resource.value : known;
  if (!agent) {
    return (
      <Page title={id}>
        <Waiting resource={resource} what="the agent" />
      </Page>
    );
  }
  return (
    <Page
      title={agent.id}
      actions={
        <>
          <StateBadge state={agent.state} />
          <AgentActions agent={agent} />
        </>
      }
    >
      <Tabs
        label="Parts of the agent"
        tabs={[
          { name: 'Overview', render: () => <Overview agent={agent} /> },
          {
            name: 'State machine',
            render: () => (
              <Diagram machine="agent" state={agent.state === 'drained' ? 'draining' : agent.state} />
            ),
          },
        ]}
      />
    </Page>
  );
}

function Overview({ agent }: { readonly agent: AgentAnswer }) {
  return (
    <div class="columns-2">
      <div>
        <OpenAttempts attempts={agent.open_attempts ?? []} />
        <RecentTasks agent={agent.id} />
      </div>
      <aside>
        <Section title="Facts">
          <Slots agent={agent} />
          <Facts
            rows={[
              ['Driver', agent.driver],
              ['Capabilities', agent.capabilities.join(', ')],
              ['Since', <Ago time={agent.since} />],
              ['Consecutive failures', String(agent.failures)],
              ['Next attempt', agent.parked_until === null ? null : <Ago time={agent.parked_until} />],
              ['Reason', agent.reason === null ? null : <Line text={agent.reason} />],
              ['By', agent.by],
              ['Budget', agent.budget && <BudgetHold budget={agent.budget} />],
            ]}
          />
        </Section>
      </aside>
    </div>
  );
}

const MAX_RECENT = 20;

/** Its tasks, those that changed last first, each with its note: for an agent that fails, why. */
function RecentTasks({ agent }: { readonly agent: string }) {
  const cards = [...(board.value?.cards.values() ?? [])]
    .filter((card) => card.agent === agent && card.attempt > 0)
    .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  return (
    <Section title="Recent tasks" count={cards.length}>
      {cards.length === 0 && <Empty title="No tasks of this agent on the board." />}
      <ul class="rows" data-group>
        {cards.slice(0, MAX_RECENT).map((card) => (
          <li class="row" key={keyOf(card)} data-item>
            <div class="row-main">
              <a href={card.status === 'failed' ? attemptHref(card, card.attempt) : taskHref(card)}>
                <Line text={card.title} />
              </a>
              <span class="row-facts">
                <StateBadge state={shownStatus(card)} />
                <TaskName {...card} />
                <span class="dim">
                  <Ago time={card.updated_at} />
                </span>
              </span>
              <Note card={card} />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function OpenAttempts({ attempts }: { readonly attempts: NonNullable<AgentAnswer['open_attempts']> }) {
  return (
    <Section title="Open attempts" count={attempts.length}>
      {attempts.length === 0 && <Empty title="No open attempts." />}
      <ul class="rows" data-group>
        {attempts.map(({ project, task: id, attempt, status, started_at }) => (
          <li class="row" key={keyOf({ project, id })} data-item>
            <div class="row-main">
              <a href={attemptHref({ project, id }, attempt)}>
                {keyOf({ project, id })}, attempt {attempt}
              </a>
              <span class="row-facts">
                <StateBadge state={status} />
                <span class="dim">
                  <Ago time={started_at} />
                </span>
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}
