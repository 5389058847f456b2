/** The user: a token, kept in this tab, and a name for decisions, kept in this browser. */
import { signal } from '@preact/signals';

const TOKEN = 'signalbox.token';
const NAME = 'signalbox.name';

const token = signal(sessionStorage.getItem(TOKEN));
/** Whether the server requires another token. */
const isLocked = signal(false);
const name = signal(localStorage.getItem(NAME) ?? '');

export const session = {
  token,
  isLocked,
  name,
  /** Called if the server refused the token of a request. */
  refuse(sent: string | null): void {
    if (sent !== token.value) return;
    isLocked.value = true;
    // If no token is needed any more, loading the page again is enough.
    sessionStorage.removeItem(TOKEN);
  },
  enter(entered: string): void {
    sessionStorage.setItem(TOKEN, entered);
    token.value = entered;
    isLocked.value = false;
  },
  /** Removes the token and asks for another one. */
  leave(): void {
    sessionStorage.removeItem(TOKEN);
    token.value = null;
    isLocked.value = true;
  },
  setName(entered: string): void {
    localStorage.setItem(NAME, entered);
    name.value = entered;
  },
};

/** The name that the user has entered. With a token, the server knows the name and accepts no other. */
export function chosenName(): string | undefined {
  return token.value !== null || name.value.trim() === '' ? undefined : name.value.trim();
}

/** Who decides, for the body of a request. */
export function decider(): { readonly by?: string } {
  const by = chosenName();
  return by === undefined ? {} : { by };
}
