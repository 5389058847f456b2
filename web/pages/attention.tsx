/** What waits for a person. */
import type { ComponentChildren } from 'preact';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import type { AgentAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, Section, StateBadge } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref, attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { Decide, type DecideProps } from '../parts/decisions/task-actions.tsx';
import { attention, attentionCount } from '../state/attention.ts';
import { board } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { COLUMNS } from '../state/columns.ts';

/** Rows of a list; the rest is on the board. */
const SHOWN = 50;

export function AttentionPage() {
  if (!board.value) return <Loading what="what needs attention" />;
  const { reviews, blocked, suspected, deadLetters, agents } = attention.value;
  return (
    <div class="page">
      <h1>Needs attention</h1>
      <Totals />
      {attentionCount.value === 0 && (
        <Empty title="Nothing waits for you.">
          <p>Reviews, blocked tasks, hung agents and dead letters appear here by themselves.</p>
        </Empty>
      )}
      <TaskList title="To review" cards={reviews} only={['approve', 'reject']} />
      <TaskList title="Blocked" cards={blocked} only={['unblock', 'cancel']} />
      <TaskList title="Suspected to hang" cards={suspected} only={['cancel']} link={attemptOf} />
      <TaskList title="Dead letters" cards={deadLetters} only={['retry']} />
      <AgentList agents={agents} />
    </div>
  );
}

function Totals() {
  const counts = board.value?.counts;
  return (
    <ul class="totals" aria-label="Tasks by state">
      {COLUMNS.map(({ id, title, states }) => (
        <li key={id} data-column={id}>
          <a href="/ui/board">
            <strong>{number(states.reduce((sum, state) => sum + (counts?.[state] ?? 0), 0))}</strong> {title}
          </a>
        </li>
      ))}
    </ul>
  );
}

const attemptOf = ({ project, id, attempt }: BoardCard): string => attemptHref(project, id, attempt);

interface TaskListProps {
  readonly title: string;
  readonly cards: readonly BoardCard[];
  readonly only: NonNullable<DecideProps['only']>;
  /** Where a row leads; to the task where it is absent. */
  readonly link?: (card: BoardCard) => string;
}

function TaskList({ title, cards, only, link = taskHref }: TaskListProps) {
  if (cards.length === 0) return null;
  return (
    <Section title={title} count={cards.length}>
      <ul class="rows" data-group>
        {cards.slice(0, SHOWN).map((card) => (
          <Row key={keyOf(card)} actions={<Decide task={card} only={only} />}>
            <a href={link(card)} data-task={keyOf(card)}>
              <Line text={card.title} />
            </a>
            <span class="row-facts">
              <StateBadge
                state={
                  card.attempt_status === 'suspected' || card.attempt_status === 'stopping'
                    ? card.attempt_status
                    : card.status
                }
              />
              <TaskName {...card} />
              {card.agent !== null && <span class="chip">{card.agent}</span>}
              <span class="dim">
                <Ago time={card.updated_at} />
              </span>
            </span>
            {card.note !== null && (
              <span class="row-note">
                <Line text={card.note} />
              </span>
            )}
          </Row>
        ))}
      </ul>
      {cards.length > SHOWN && (
        <p class="dim">
          and {number(cards.length - SHOWN)} more on <a href="/ui/board">the board</a>
        </p>
      )}
    </Section>
  );
}

function AgentList({ agents }: { readonly agents: readonly AgentAnswer[] }) {
  if (agents.length === 0) return null;
  return (
    <Section title="Agents that take no tasks" count={agents.length}>
      <ul class="rows" data-group>
        {agents.map((agent) => (
          <Row key={agent.id} actions={<AgentActions agent={agent} />}>
            <a href={agentHref(agent.id)}>{agent.id}</a>
            <span class="row-facts">
              <StateBadge state={agent.state} />
              <span class="dim">
                <Ago time={agent.since} />
              </span>
            </span>
            {agent.reason !== null && (
              <span class="row-note">
                <Line text={agent.reason} />
              </span>
            )}
          </Row>
        ))}
      </ul>
    </Section>
  );
}

function Row({
  actions,
  children,
}: {
  readonly actions: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <li class="row" data-item>
      <div class="row-main">{children}</div>
      {actions}
    </li>
  );
}
