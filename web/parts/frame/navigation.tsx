/** Links to the pages, the state of the connection, theme, help and sign-out. */
import { PAGES, pageAt } from '../../pages.tsx';
import { connection } from '../../state/board.ts';
import { isHelpOpen } from '../../state/keyboard.ts';
import { session } from '../../state/session.ts';
import { nextTheme, theme } from '../../state/theme.ts';
import { number } from '../base/format.ts';

const CONNECTION_TEXTS = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost. Reconnecting…',
} as const;

export function Navigation({ path }: { readonly path: string }) {
  const current = pageAt(path)?.page;
  return (
    <nav class="navigation" aria-label="Pages">
      <a class="brand" href="/ui/">
        <Lamp /> Signalbox
      </a>
      <ul>
        {PAGES.map(({ path: href, title, navigation }) => {
          if (!navigation) return null;
          const waiting = navigation.count?.() ?? 0;
          const isCurrent = href === (current?.below ?? current?.path);
          return (
            <li key={href}>
              <a href={href} aria-current={isCurrent ? 'page' : undefined}>
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
      </ul>
      <Foot />
    </nav>
  );
}

function Foot() {
  return (
    <div class="navigation-foot">
      <p class="connection" data-state={connection.value} role="status">
        <span class="dot" aria-hidden="true" /> {CONNECTION_TEXTS[connection.value]}
      </p>
      <div class="actions">
        <button type="button" class="quiet" onClick={nextTheme} title="Light, dark, or the system's theme">
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
            title="Remove the token from this tab"
          >
            Sign out
          </button>
        )}
      </div>
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
