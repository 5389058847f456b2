/** One agent: its state, and what it is doing. */
import { useRoute } from 'preact-iso';
import { path } from '../api/http.ts';
import type { AgentAnswer } from '../api/types.ts';
import { Ago, Empty, Facts, Loading, Section, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { attemptHref } from '../parts/base/links.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { board } from '../state/board.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';
import { Slots } from './agents.tsx';

export function AgentPage() {
  const { agent: id = '' } = useRoute().params;
  const known = board.value?.agents.find((each) => each.id === id);
  const version = JSON.stringify(known);
  const { value, error, reload } = useResource<AgentAnswer>(path`/api/agents/${id}`, {
    version,
    everyMs: 3_000,
  });
  const agent = past.value === null ? value : known;
  if (!agent) {
    return (
      <div class="page">
        <h1>{id}</h1>
        {error ? <Trouble error={error} retry={reload} /> : <Loading what="the agent" />}
      </div>
    );
  }
  const attempts = agent.open_attempts ?? [];
  return (
    <div class="page">
      <header class="page-head">
        <h1>{agent.id}</h1>
        <div class="head-state">
          <StateBadge state={agent.state} />
          <AgentActions agent={agent} />
        </div>
      </header>
      <div class="columns-2">
        <div>
          <Section title="What it is doing" count={attempts.length}>
            {attempts.length === 0 && <Empty title="Nothing at the moment." />}
            <ul class="rows" data-group>
              {attempts.map((attempt) => (
                <li class="row" key={`${attempt.project}/${attempt.task}`} data-item>
                  <div class="row-main">
                    <a href={attemptHref(attempt.project, attempt.task, attempt.attempt)}>
                      {attempt.project}/{attempt.task}, attempt {attempt.attempt}
                    </a>
                    <span class="row-facts">
                      <StateBadge state={attempt.status} />
                      <span class="dim">
                        <Ago time={attempt.started_at} />
                      </span>
                    </span>
                  </div>
                </li>
              ))}
            </ul>
          </Section>
        </div>
        <aside>
          <Section title="State">
            <Diagram machine="agent" state={agent.state === 'drained' ? 'draining' : agent.state} />
          </Section>
          <Section title="Facts">
            <Slots agent={agent} />
            <Facts
              rows={[
                ['Driver', agent.driver],
                ['Capabilities', agent.capabilities.join(', ')],
                ['Since', <Ago time={agent.since} />],
                ['Failures in a row', String(agent.failures)],
                ['Tried again', agent.parked_until === null ? null : <Ago time={agent.parked_until} />],
                ['Reason', agent.reason === null ? null : <Line text={agent.reason} />],
                ['By', agent.by],
              ]}
            />
          </Section>
        </aside>
      </div>
    </div>
  );
}
