/** Where Signalbox wants to know who asks. */
import { useSignal } from '@preact/signals';
import { session } from '../state/session.ts';

export function LoginPage() {
  const token = useSignal('');
  const wasRefused = session.token.value !== null;
  return (
    <main class="login">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const entered = token.value.trim();
          if (entered !== '') session.enter(entered);
        }}
      >
        <h1>Signalbox</h1>
        <p>
          This Signalbox wants a token. <code>signalbox token new NAME --role admin</code> makes one, or{' '}
          <code>--role observer</code> for somebody who only looks.
        </p>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            value={token.value}
            aria-invalid={wasRefused}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
        </label>
        {wasRefused && (
          <p class="trouble" role="alert">
            The token was not accepted: it was revoked, or mistyped.
          </p>
        )}
        <button type="submit" class="strong">
          Enter
        </button>
        <p class="dim">It stays in this tab until the tab is closed.</p>
      </form>
    </main>
  );
}
