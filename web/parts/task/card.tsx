/** A task on the board. */
import type { BoardCard } from '../../../src/contracts/api/board.ts';
import { attemptsText } from '../../../src/contracts/api/task-facts.ts';
import { costText } from '../../../src/contracts/usage-text.ts';
import { keyOf, shownStatus } from '../../state/cards.ts';
import { Ago, StateBadge, toneOf } from '../base/basics.tsx';
import { taskHref } from '../base/links.tsx';
import { DEFAULT_PRIORITY, Priority } from '../base/priority.tsx';
import { Line } from '../base/safe-text.tsx';
import { noteText } from './note.tsx';

export const CARD_HEIGHT = 122;

/** More attempts than this are shown as a number. */
const MAX_DOTS = 6;

export function Card({ card }: { readonly card: BoardCard }) {
  const { status, title, note_kind, agent, type } = card;
  const note = noteText(card);
  const shown = shownStatus(card);
  const isNamed = shown !== status || status === 'claimed' || status === 'expired';
  return (
    <a
      class="card"
      href={taskHref(card)}
      data-item
      data-task={keyOf(card)}
      data-tone={toneOf(shown)}
      data-state={shown}
    >
      <span class="card-top">
        <span class="mono dim card-id">{keyOf(card)}</span>
        {isNamed && <StateBadge state={shown} />}
        {card.priority !== DEFAULT_PRIORITY && <Priority value={card.priority} />}
      </span>
      <span class="card-title">
        <Line text={title} />
      </span>
      <span class="card-note dim" data-kind={note_kind} title={note ?? undefined}>
        {note !== null && <Line text={note} />}
      </span>
      <span class="card-foot">
        <span class="chip">{agent ?? (type === null ? 'unassigned' : `any ${type}`)}</span>
        <Attempts card={card} />
        {card.cost_usd !== null && <span class="dim">{costText(card)}</span>}
        <span class="dim card-age">
          <When card={card} />
        </span>
      </span>
    </a>
  );
}

function When({
  card: { status, due_at, finished_at, updated_at, created_at },
}: {
  readonly card: BoardCard;
}) {
  if (status === 'scheduled' && due_at !== null) return <Ago time={due_at} />;
  if (status === 'pending') return <Ago time={created_at} />;
  return <Ago time={finished_at ?? updated_at} />;
}

/** A dot for each allowed attempt; the used ones are filled. */
function Attempts({ card }: { readonly card: BoardCard }) {
  const { attempt, attempts_used, max_attempts } = card;
  if (attempt === 0) return null;
  const text = `attempts: ${attemptsText(card)}`;
  if (max_attempts > MAX_DOTS)
    return <span class="dim" title={text}>{`${attempts_used}/${max_attempts}`}</span>;
  return (
    <span class="dots" role="img" aria-label={text} title={text}>
      {Array.from({ length: Math.max(attempts_used, max_attempts) }, (_, index) => (
        <i key={index} data-used={index < attempts_used} />
      ))}
    </span>
  );
}
