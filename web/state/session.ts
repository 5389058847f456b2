/** Who looks: the token, and the name that decisions are made under. Both stay in this browser. */
import { signal } from '@preact/signals';

const TOKEN = 'signalbox.token';
const NAME = 'signalbox.name';

const token = signal(sessionStorage.getItem(TOKEN));
/** The server wants a token that it has not got. */
const isLocked = signal(false);
const name = signal(localStorage.getItem(NAME) ?? '');

export const session = {
  token,
  isLocked,
  name,
  /** The server does not take the token that was sent. */
  refuse(sent: string | null): void {
    if (sent === token.value) isLocked.value = true;
  },
  enter(entered: string): void {
    sessionStorage.setItem(TOKEN, entered);
    token.value = entered;
    isLocked.value = false;
  },
  /** Forgets the token, and asks for another one. */
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

/** What every decision says of who made it; with a token, the server knows. */
export function decider(): { readonly by?: string } {
  const by = name.value.trim();
  return by === '' ? {} : { by };
}
