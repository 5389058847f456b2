/** Everything that waits for a person, with the decisions that are possible. */
import type { ComponentChildren } from 'preact';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import type { AgentAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, Section, StateBadge } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref, attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { Page, type PageProps } from '../parts/base/page.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { Questions } from '../parts/decisions/agent-questions.tsx';
import { TaskActions, type TaskActionsProps } from '../parts/decisions/task-actions.tsx';
import { attention, attentionCount } from '../state/attention.ts';
import { board } from '../state/board.ts';
import { keyOf, shownStatus } from '../state/cards.ts';
import { COLUMNS } from '../state/columns.ts';

/** Rows of a list; the rest is on the board. */
const MAX_ROWS = 50;

export function AttentionPage({ title }: PageProps) {
  if (!board.value) return <Loading what="what needs attention" />;
  const { asking, reviews, blocked, suspected, deadLetters, agents } = attention.value;
  return (
    <Page title={title}>
      <Totals />
      {attentionCount.value === 0 && (
        <Empty title="Nothing needs attention.">
          <p>
            Questions of agents, reviews, blocked tasks, hung attempts, dead letters and parked agents appear
            here.
          </p>
        </Empty>
      )}
      <Questions cards={asking} />
      <TaskList title="To review" cards={reviews} only={['approve', 'reject']} />
      <TaskList title="Blocked" cards={blocked} only={['unblock', 'cancel']} />
      <TaskList title="May be hanging" cards={suspected} only={['cancel']} link={attemptOf} />
      <TaskList title="Dead letters" cards={deadLetters} only={['retry']} />
      <AgentList agents={agents} />
    </Page>
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

const attemptOf = (card: BoardCard): string => attemptHref(card, card.attempt);

interface TaskListProps {
  readonly title: string;
  readonly cards: readonly BoardCard[];
  readonly only: NonNullable<TaskActionsProps['only']>;
  /** Target of a row; the task if absent. */
  readonly link?: (card: BoardCard) => string;
}

function TaskList({ title, cards, only, link = taskHref }: TaskListProps) {
  if (cards.length === 0) return null;
  return (
    <Section title={title} count={cards.length}>
      <ul class="rows" data-group>
        {cards.slice(0, MAX_ROWS).map((card) => (
          <Row key={keyOf(card)} note={card.note} actions={<TaskActions task={card} only={only} />}>
            <a href={link(card)} data-task={keyOf(card)}>
              <Line text={card.title} />
            </a>
            <span class="row-facts">
              <StateBadge state={shownStatus(card)} />
              <TaskName {...card} />
              {card.agent !== null && <span class="chip">{card.agent}</span>}
              <span class="dim">
                <Ago time={card.updated_at} />
              </span>
            </span>
          </Row>
        ))}
      </ul>
      {cards.length > MAX_ROWS && (
        <p class="dim">
          and {number(cards.length - MAX_ROWS)} more on <a href="/ui/board">the board</a>
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
          <Row key={agent.id} note={agent.reason} actions={<AgentActions agent={agent} />}>
            <a href={agentHref(agent.id)}>{agent.id}</a>
            <span class="row-facts">
              <StateBadge state={agent.state} />
              <span class="dim">
                <Ago time={agent.since} />
              </span>
            </span>
          </Row>
        ))}
      </ul>
    </Section>
  );
}

interface RowProps {
  readonly note: string | null;
  readonly actions: ComponentChildren;
  readonly children: ComponentChildren;
}

function Row({ note, actions, children }: RowProps) {
  return (
    <li class="row" data-item>
      <div class="row-main">
        {children}
        {note !== null && (
          <span class="row-note">
            <Line text={note} />
          </span>
        )}
      </div>
      {actions}
    </li>
  );
}
