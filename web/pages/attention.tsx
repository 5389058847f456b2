/** Everything that waits for a person, with the decisions that are possible. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import type { AgentAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, Section, StateBadge } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref, attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { Page, type PageProps } from '../parts/base/page.tsx';
import { DEFAULT_PRIORITY, Priority } from '../parts/base/priority.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { AgentActions } from '../parts/decisions/agent-actions.tsx';
import { Questions } from '../parts/decisions/agent-questions.tsx';
import { AttemptActions } from '../parts/decisions/attempt-actions.tsx';
import { BulkActions } from '../parts/decisions/bulk-actions.tsx';
import { TaskActions, type TaskActionsProps } from '../parts/decisions/task-actions.tsx';
import { Note } from '../parts/task/note.tsx';
import { RaiseBudget } from '../parts/usage/raise-budget.tsx';
import { type Attention, attention, attentionCount } from '../state/attention.ts';
import { board } from '../state/board.ts';
import { keyOf, shownStatus } from '../state/cards.ts';
import { useChoice } from '../state/chosen.ts';
import { COLUMNS } from '../state/columns.ts';
import { mayNow } from '../state/rights.ts';

/** Rows of a list; the rest is on the board. */
const MAX_ROWS = 50;

export function AttentionPage({ title }: PageProps) {
  if (!board.value) return <Loading what="what needs attention" />;
  const { asking, suspected, deadLetters, stranded, reviews, blocked, agents, budgets } = attention.value;
  const reasons = new Map(stranded.map(({ card, why }) => [keyOf(card), why]));
  return (
    <Page title={title}>
      <Totals />
      {attentionCount.value === 0 && (
        <Empty title="Nothing needs attention.">
          <p>
            Questions of agents, hung attempts, dead letters, tasks that no agent can take, reviews, blocked
            tasks and parked agents appear here.
          </p>
        </Empty>
      )}
      <Questions cards={asking} />
      <TaskList
        title="May be hanging"
        cards={suspected}
        only={['steer', 'cancel']}
        link={attemptOf}
        more={(card) => (
          <AttemptActions
            project={card.project}
            task={card.id}
            attempt={card.attempt}
            status={card.attempt_status ?? ''}
          />
        )}
      />
      <TaskList title="Failed" cards={deadLetters} only={['retry']} />
      <TaskList
        title="No agent can take these"
        cards={stranded.map(({ card }) => card)}
        only={['cancel']}
        noteOf={(card) => reasons.get(keyOf(card)) ?? null}
      />
      <TaskList title="To review" cards={reviews} only={['approve', 'reject']} />
      <TaskList title="Blocked" cards={blocked} only={['unblock', 'cancel']} />
      <BudgetList budgets={budgets} />
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
  /** What is said about a task instead of its note. */
  readonly noteOf?: (card: BoardCard) => string | null;
  /** Further actions of a row, before the decisions. */
  readonly more?: (card: BoardCard) => ComponentChildren;
}

/** Only so many rows are shown at first: the next group must be in sight. */
const FIRST_ROWS = 6;

function TaskList({ title, cards, only, link = taskHref, noteOf, more }: TaskListProps) {
  const choice = useChoice(cards);
  const isWhole = useSignal(false);
  if (cards.length === 0) return null;
  const shown = cards.slice(0, isWhole.value ? MAX_ROWS : FIRST_ROWS);
  return (
    <Section
      title={title}
      count={cards.length}
      actions={<BulkActions choice={choice} verbs={only} total={cards.length} />}
    >
      <ul class="rows" data-group>
        {shown.map((card) => (
          <Row
            key={keyOf(card)}
            tick={{
              label: `Select ${card.title}`,
              isOn: choice.has(card),
              toggle: () => choice.toggle(card),
            }}
            note={<Note card={noteOf ? { ...card, note: noteOf(card) } : card} />}
            actions={
              <>
                {more && <div class="actions">{more(card)}</div>}
                <TaskActions task={card} only={only} />
              </>
            }
          >
            <a href={link(card)} data-task={keyOf(card)}>
              <Line text={card.title} />
            </a>
            <TaskFacts card={card} />
          </Row>
        ))}
      </ul>
      {cards.length > shown.length && !isWhole.value && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isWhole.value = true;
          }}
        >
          Show all {number(cards.length)}
        </button>
      )}
      {isWhole.value && cards.length > MAX_ROWS && (
        <p class="dim">
          and {number(cards.length - MAX_ROWS)} more on <a href="/ui/board">the board</a>
        </p>
      )}
    </Section>
  );
}

function TaskFacts({ card }: { readonly card: BoardCard }) {
  return (
    <span class="row-facts">
      <StateBadge state={shownStatus(card)} />
      {card.priority !== DEFAULT_PRIORITY && <Priority value={card.priority} />}
      <TaskName {...card} />
      {card.agent !== null && <span class="chip">{card.agent}</span>}
      <span class="dim">
        <Ago time={card.updated_at} />
      </span>
    </span>
  );
}

function AgentList({ agents }: { readonly agents: readonly AgentAnswer[] }) {
  if (agents.length === 0) return null;
  return (
    <Section title="Agents that take no tasks" count={agents.length}>
      <ul class="rows" data-group>
        {agents.map((agent) => (
          <Row
            key={agent.id}
            note={
              agent.reason !== null && (
                <span class="row-note">
                  <Line text={agent.reason} />
                </span>
              )
            }
            actions={<AgentActions agent={agent} />}
          >
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

function BudgetList({ budgets }: Pick<Attention, 'budgets'>) {
  if (budgets.length === 0) return null;
  return (
    <Section title="Budgets" count={budgets.length}>
      <ul class="rows" data-group>
        {budgets.map(({ id, status, detail, until }) => (
          <Row
            key={id}
            note={
              <span class="row-note">
                <Line text={detail} />
              </span>
            }
            actions={<RaiseBudget id={id} />}
          >
            <a href="/ui/usage">{id}</a>
            <span class="row-facts">
              <StateBadge state={status} />
              <span class="dim">
                ends <Ago time={until} />
              </span>
            </span>
          </Row>
        ))}
      </ul>
    </Section>
  );
}

interface RowProps {
  readonly note: ComponentChildren;
  readonly actions: ComponentChildren;
  /** For a decision about several rows; absent if there is none. */
  readonly tick?: { readonly label: string; readonly isOn: boolean; readonly toggle: () => void };
  readonly children: ComponentChildren;
}

function Row({ note, actions, tick, children }: RowProps) {
  return (
    <li class="row" data-item>
      {tick && mayNow('operate') && (
        <input
          type="checkbox"
          aria-keyshortcuts="s"
          checked={tick.isOn}
          onChange={tick.toggle}
          aria-label={tick.label}
        />
      )}
      <div class="row-main">
        {children}
        {note}
      </div>
      {actions}
    </li>
  );
}
