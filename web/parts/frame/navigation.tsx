/** The pages, with what waits in each. */
import { attention, attentionCount } from '../../state/attention.ts';
import { board, connection } from '../../state/board.ts';
import { isHelpOpen } from '../../state/keyboard.ts';
import { session } from '../../state/session.ts';
import { nextTheme, theme } from '../../state/theme.ts';
import { number } from '../base/format.ts';

interface Place {
  readonly href: string;
  readonly label: string;
  readonly icon: string;
  readonly count?: () => number;
}

const PLACES: readonly Place[] = [
  { href: '/ui/', label: 'Needs attention', icon: 'bell', count: () => attentionCount.value },
  { href: '/ui/board', label: 'Board', icon: 'board' },
  { href: '/ui/agents', label: 'Agents', icon: 'agents', count: () => attention.value.agents.length },
  { href: '/ui/queues', label: 'Queues', icon: 'queues' },
  {
    href: '/ui/dead-letters',
    label: 'Dead letters',
    icon: 'dead',
    count: () => (board.value?.counts.failed ?? 0) + (board.value?.counts.expired ?? 0),
  },
  { href: '/ui/throughput', label: 'Throughput', icon: 'plot' },
  { href: '/ui/audit', label: 'Audit', icon: 'audit' },
  { href: '/ui/machines', label: 'State machines', icon: 'machine' },
];

const CONNECTIONS = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'Connection lost; coming back …',
} as const;

export function Navigation({ path }: { readonly path: string }) {
  return (
    <nav class="navigation" aria-label="Pages">
      <a class="brand" href="/ui/">
        <Lamp /> Signalbox
      </a>
      <ul>
        {PLACES.map(({ href, label, icon, count }) => {
          const waiting = count?.() ?? 0;
          return (
            <li key={href}>
              <a href={href} aria-current={isAt(path, href) ? 'page' : undefined}>
                <Icon name={icon} />
                <span class="place-label">{label}</span>
                {waiting > 0 && (
                  <span class="count">
                    {number(waiting)}
                    <span class="visually-hidden"> waiting</span>
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
      <div class="navigation-foot">
        <p class="connection" data-state={connection.value} role="status">
          <span class="dot" aria-hidden="true" /> {CONNECTIONS[connection.value]}
        </p>
        <div class="actions">
          <button
            type="button"
            class="quiet"
            onClick={nextTheme}
            title="Light, dark, or as the system has it"
          >
            Theme: {theme.value}
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              isHelpOpen.value = true;
            }}
          >
            Help <kbd>?</kbd>
          </button>
          {session.token.value !== null && (
            <button
              type="button"
              class="quiet"
              onClick={() => session.leave()}
              title="Forget the token of this tab"
            >
              Leave
            </button>
          )}
        </div>
      </div>
    </nav>
  );
}

function isAt(path: string, href: string): boolean {
  if (href === '/ui/') return path === '/ui/' || path === '/ui';
  return (
    path === href || path.startsWith(`${href}/`) || (href === '/ui/board' && path.startsWith('/ui/projects/'))
  );
}

function Lamp() {
  return (
    <svg class="lamp" viewBox="0 0 16 32" aria-hidden="true">
      <rect width="16" height="32" rx="8" />
      <circle cx="8" cy="7" r="4" />
      <circle cx="8" cy="16" r="4" />
      <circle cx="8" cy="25" r="4" />
    </svg>
  );
}

/** Lines of 24 by 24. */
const ICONS: Readonly<Record<string, string>> = {
  bell: 'M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20a2 2 0 0 0 4 0',
  board: 'M4 4h4v16H4zM10 4h4v10h-4zM16 4h4v13h-4z',
  agents: 'M8 4h8v5H8zM5 20v-4a3 3 0 0 1 3-3h8a3 3 0 0 1 3 3v4M12 9v4',
  queues: 'M4 6h16M4 12h16M4 18h10',
  dead: 'M4 6l8 6 8-6M4 6h16v12H4z',
  plot: 'M4 20V4M4 20h16M7 15l4-5 3 3 5-7',
  audit: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.500-1-8-4-8-9V6zM9 12l2 2 4-4',
  machine:
    'M5 8a2.500 2.500 0 1 0 0-.01M19 8a2.500 2.500 0 1 0 0-.01M12 19a2.500 2.500 0 1 0 0-.01M7.500 7h9M6.500 9.500l4 7M17.500 9.500l-4 7',
};

function Icon({ name }: { readonly name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
