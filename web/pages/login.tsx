/** Asks for a token, if Signalbox requires one. */
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
          This Signalbox requires a token. Create one with <code>signalbox token new NAME --role admin</code>,
          or with <code>--role observer</code> for read-only access.
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
            The token was not accepted. It is mistyped or revoked.
          </p>
        )}
        <button type="submit" class="strong">
          Sign in
        </button>
        <p class="dim">The token is kept until you close this tab.</p>
      </form>
    </main>
  );
}
