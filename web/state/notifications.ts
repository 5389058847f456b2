/** Notifications of the browser about what needs attention, if the user allows them. */
import { effect, signal } from '@preact/signals';
import { oneLine } from '../../src/base/text/printable.ts';
import { attention } from './attention.ts';
import { live } from './board.ts';
import { keyOf } from './cards.ts';
import { past } from './past.ts';

const STORED = 'signalbox.notifications';

const isOn = signal(localStorage.getItem(STORED) === 'on' && isGranted());
const trouble = signal<string | null>(null);

export const notifications = {
  isOn,
  /** Why they cannot be turned on; null if nothing is in the way. */
  trouble,
  async toggle(): Promise<void> {
    trouble.value = null;
    if (!isOn.value && !(await isAllowed())) {
      trouble.value =
        'The browser does not allow this page to send notifications: change it in its settings.';
      return;
    }
    isOn.value = !isOn.value;
    localStorage.setItem(STORED, isOn.value ? 'on' : 'off');
  },
};

function isGranted(): boolean {
  return 'Notification' in globalThis && Notification.permission === 'granted';
}

async function isAllowed(): Promise<boolean> {
  if (!('Notification' in globalThis)) return false;
  return isGranted() || (await Notification.requestPermission()) === 'granted';
}

/** By key: what each thing that needs attention is. */
function waiting(): ReadonlyMap<string, string> {
  const { asking, suspected, deadLetters, stranded, reviews, blocked, agents } = attention.value;
  const tasks = [
    [asking, 'asks a question'],
    [suspected, 'may be hanging'],
    [deadLetters, 'has failed'],
    [stranded.map(({ card }) => card), 'has no agent'],
    [reviews, 'is ready for review'],
    [blocked, 'is blocked'],
  ] as const;
  return new Map([
    ...tasks.flatMap(([cards, what]) =>
      cards.map((card): [string, string] => [`${keyOf(card)} ${what}`, `${oneLine(card.title)} ${what}`]),
    ),
    ...agents.map(({ id, state }): [string, string] => [`${id} ${state}`, `Agent ${id} is ${state}`]),
  ]);
}

/** Things that are new at a time; more are only counted. */
const MAX_NAMED = 3;

/** Sends a notification for what is new, while the page is in the background. */
export function startNotifying(): void {
  let known: ReadonlyMap<string, string> | null = null;
  effect(() => {
    if (live.value === null || past.value !== null) return;
    const now = waiting();
    const before = known;
    known = now;
    if (before === null || !isOn.value || !document.hidden) return;
    const fresh = [...now].filter(([key]) => !before.has(key)).map(([, text]) => text);
    if (fresh.length === 0) return;
    const more = fresh.length > MAX_NAMED ? [`and ${fresh.length - MAX_NAMED} more`] : [];
    const body = [...fresh.slice(0, MAX_NAMED), ...more].join('\n');
    const sent = new Notification('Signalbox', { body, tag: 'signalbox' });
    sent.onclick = () => {
      focus();
      sent.close();
    };
  });
}
