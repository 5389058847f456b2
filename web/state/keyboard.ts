/**
 * Keyboard shortcuts of the whole page. They are off while the user types, and while Ctrl, Alt or Meta is held, but for
 * Ctrl-K and ⌘K, which open the palette.
 *
 * A button names its key in `aria-keyshortcuts`: the key presses that button of the focused row, or else of the head of
 * the page.
 *
 * Elements with `data-item` are rows that `j` and `k` move through; those with `data-group` are the lists and columns
 * around them.
 */
import { signal } from '@preact/signals';

export const isHelpOpen = signal(false);
export const isPaletteOpen = signal(false);

/** The page on which a task is created. */
export const NEW_TASK_PATH = '/ui/new';

/** Longest time between the two keys of a pair. */
const PAIR_MS = 1_200;

export interface KeyActions {
  /** Addresses of pages, by the key that opens them after `g`. */
  readonly pathsByKey: ReadonlyMap<string | undefined, string>;
  readonly navigate: (path: string) => void;
  readonly step: (by: 1 | -1) => void;
  readonly present: () => void;
}

/** @returns a function that stops listening */
export function listenForKeys({ pathsByKey, navigate, step, present }: KeyActions): () => void {
  let leader = Number.NEGATIVE_INFINITY;
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
    c: () => navigate(NEW_TASK_PATH),
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'k' && (event.metaKey || event.ctrlKey) && !event.altKey) {
      isPaletteOpen.value = !isPaletteOpen.value;
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const { target, key } = event;
    if (isTyping(target)) {
      if (key === 'Escape' && target instanceof HTMLElement) target.blur();
      return;
    }
    if (document.querySelector('dialog[open]') && key !== '?') return;
    const place = performance.now() - leader < PAIR_MS ? pathsByKey.get(key) : undefined;
    leader = key === 'g' ? performance.now() : Number.NEGATIVE_INFINITY;
    if (place !== undefined) navigate(place);
    else if (press(key)) void 0;
    else if (Object.hasOwn(actions, key)) actions[key]?.();
    else return;
    event.preventDefault();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/** Presses the button with this key. @returns false if there is none */
function press(key: string): boolean {
  if (!/^[A-Za-z*]$/.test(key)) return false;
  const row = document.activeElement?.closest('[data-item]') ?? null;
  const places = [
    row,
    key === '*' ? (row?.closest('.section') ?? document) : null,
    document.querySelector('.head-state'),
  ];
  const wanted = `[aria-keyshortcuts="${key}"]:not(:disabled)`;
  const button = places.flatMap((place) => place?.querySelector<HTMLElement>(wanted) ?? [])[0];
  button?.click();
  return button !== undefined;
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' && target.type !== 'range';
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** On the board within the focused column, elsewhere through all lists. Starts with the first item if none has the focus. */
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
