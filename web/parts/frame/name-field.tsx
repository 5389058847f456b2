/** The name under which the log records what a user decides, as long as no token says who that is. */
import { session } from '../../state/session.ts';

export function NameField() {
  if (session.token.value !== null) return null;
  return (
    <label>
      Your name, for the log
      <input
        value={session.name.value}
        maxLength={100}
        autocomplete="name"
        onInput={(event) => session.setName(event.currentTarget.value)}
      />
    </label>
  );
}
