/** Links to the pages, the state of the connection, theme, help and sign-out. */
import { useSignal } from '@preact/signals';
import { PAGES, pageAt } from '../../pages.tsx';
import { connection } from '../../state/board.ts';
import { isHelpOpen } from '../../state/keyboard.ts';
import { wanted } from '../../state/past.ts';
import { session } from '../../state/session.ts';
import { number } from '../base/format.ts';
import { Settings } from './settings.tsx';

const CONNECTION_TEXTS = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost. Reconnecting…',
} as const;

/** Entries that a narrow screen always shows; the others are behind "More". */
const PRIMARY = 4;

export function Navigation({ path }: { readonly path: string }) {
  const current = pageAt(path)?.page;
  const isOpen = useSignal(false);
  const entries = PAGES.filter(({ navigation }) => navigation);
  const isPrimary = (index: number): boolean => index < PRIMARY;
  return (
    <nav class="navigation" aria-label="Pages" data-open={isOpen.value}>
      <a class="brand" href="/ui/">
        <Lamp /> Signalbox
      </a>
      <ul>
        {entries.map(({ path: href, title, navigation }, index) => {
          if (!navigation) return null;
          const waiting = navigation.count?.() ?? 0;
          const isCurrent = href === (current?.below ?? current?.path);
          return (
            <li key={href} data-primary={isPrimary(index)}>
              <a
                href={href}
                onClick={() => {
                  isOpen.value = false;
                }}
                aria-current={isCurrent ? 'page' : undefined}
              >
                <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                  <path d={navigation.icon} />
                </svg>
                <span class="place-label">{title}</span>
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
        <li class="more" data-primary="true">
          <button
            type="button"
            class="quiet"
            aria-expanded={isOpen.value}
            onClick={() => {
              isOpen.value = !isOpen.value;
            }}
          >
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
              <path d="M4 7h16M4 12h16M4 17h16" />
            </svg>
            <span class="place-label">{isOpen.value ? 'Less' : 'More'}</span>
          </button>
        </li>
      </ul>
      <Foot />
    </nav>
  );
}

function Foot() {
  const isSettingsOpen = useSignal(false);
  const isPast = wanted.value !== null;
  return (
    <div class="navigation-foot">
      <p class="connection" data-state={isPast ? 'past' : connection.value} role="status">
        <span class="dot" aria-hidden="true" />{' '}
        {isPast && connection.value === 'live' ? 'You see the past' : CONNECTION_TEXTS[connection.value]}
      </p>
      <div class="actions">
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isSettingsOpen.value = true;
          }}
        >
          Settings
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
            title="Remove the token from this tab"
          >
            Sign out
          </button>
        )}
      </div>
      {isSettingsOpen.value && (
        <Settings
          onClose={() => {
            isSettingsOpen.value = false;
          }}
        />
      )}
    </div>
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
