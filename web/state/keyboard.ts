/**
 * Keys of the whole page. Nothing happens while somebody types, or with Ctrl, Alt or Meta held.
 *
 * Lists and columns mark what can be moved through with `data-item`; `j` and `k` move the focus among those that are seen.
 */
import { signal } from '@preact/signals';

export const isHelpOpen = signal(false);

export interface Shortcut {
  readonly keys: readonly string[];
  readonly label: string;
}

/** What the help shows, in this order. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['/'], label: 'Search' },
  { keys: ['j', 'k'], label: 'Next and previous task or row' },
  { keys: ['h', 'l'], label: 'Column to the left and right (board)' },
  { keys: ['Enter'], label: 'Open' },
  { keys: ['g', 'n'], label: 'Needs attention' },
  { keys: ['g', 'b'], label: 'Board' },
  { keys: ['g', 'a'], label: 'Agents' },
  { keys: ['g', 'q'], label: 'Queues' },
  { keys: ['g', 'd'], label: 'Dead letters' },
  { keys: ['g', 't'], label: 'Throughput' },
  { keys: ['g', 'u'], label: 'Audit' },
  { keys: ['[', ']'], label: 'One event back or forward in time' },
  { keys: ['p'], label: 'Back to the present' },
  { keys: ['?'], label: 'This help' },
  { keys: ['Esc'], label: 'Close, or leave the search' },
];

const PLACES: Readonly<Record<string, string>> = {
  n: '/ui/',
  b: '/ui/board',
  a: '/ui/agents',
  q: '/ui/queues',
  d: '/ui/dead-letters',
  t: '/ui/throughput',
  u: '/ui/audit',
};
/** Milliseconds that the second key of a pair may take. */
const PAIR_MS = 1_200;

export interface KeyActions {
  readonly navigate: (path: string) => void;
  readonly step: (by: 1 | -1) => void;
  readonly present: () => void;
}

/** @returns stops listening */
export function listenForKeys({ navigate, step, present }: KeyActions): () => void {
  let leader = 0;
  const actions: Readonly<Record<string, () => void>> = {
    '/': () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
    '?': () => {
      isHelpOpen.value = !isHelpOpen.value;
    },
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    h: () => moveColumn(-1),
    l: () => moveColumn(1),
    '[': () => step(-1),
    ']': () => step(1),
    p: present,
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const { target, key } = event;
    if (isTyping(target)) {
      if (key === 'Escape' && target instanceof HTMLElement) target.blur();
      return;
    }
    if (document.querySelector('dialog[open]') && key !== '?') return;
    const place = performance.now() - leader < PAIR_MS ? PLACES[key] : undefined;
    leader = key === 'g' ? performance.now() : 0;
    if (place !== undefined) navigate(place);
    else if (Object.hasOwn(actions, key)) actions[key]?.();
    else return;
    event.preventDefault();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' && target.type !== 'range';
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** On the board within the column that has the focus, elsewhere from list to list; else to the first thing that can have it. */
function moveFocus(by: 1 | -1): void {
  const focused = document.activeElement?.closest<HTMLElement>('[data-item]') ?? null;
  const column = document.querySelector('.board') && focused?.closest('[data-group]');
  const items = [...(column ?? document).querySelectorAll<HTMLElement>('[data-item]')];
  focusItem(focused ? items[items.indexOf(focused) + by] : items[0]);
}

function moveColumn(by: 1 | -1): void {
  const groups = [...document.querySelectorAll('[data-group]')].filter((group) =>
    group.querySelector('[data-item]'),
  );
  const focused = document.activeElement?.closest('[data-group]') ?? null;
  const group = focused ? groups[groups.indexOf(focused) + by] : groups[0];
  focusItem(group?.querySelector<HTMLElement>('[data-item]') ?? undefined);
}

function focusItem(item: HTMLElement | undefined): void {
  const target = item?.matches('a, button') ? item : (item?.querySelector<HTMLElement>('a, button') ?? item);
  target?.focus();
  item?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
