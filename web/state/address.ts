/**
 * The past moment, the search and the project in the address, so that a link or a reload shows the same. They belong to
 * every page: an address without them shows the present, and all tasks.
 */
import { effect } from '@preact/signals';
import { project, words } from './filter.ts';
import { goLive, goTo, wanted } from './past.ts';

/** Shows what the address says; called at the start and when the user goes back. */
export function readAddress(): void {
  const query = new URLSearchParams(location.search);
  project.value = query.get('project') ?? '';
  words.value = query.get('q') ?? '';
  const at = Number(query.get('at'));
  if (Number.isSafeInteger(at) && at > 0) {
    if (at !== wanted.value) void goTo(at);
  } else if (wanted.value !== null) goLive();
}

/** Writes the state into the address; called after each change of the page. */
export function writeAddress(): void {
  const query = new URLSearchParams(location.search);
  const set = (name: string, value: string): void => {
    if (value === '') query.delete(name);
    else query.set(name, value);
  };
  set('project', project.value);
  set('q', words.value);
  set('at', wanted.value === null ? '' : String(wanted.value));
  const search = query.toString();
  const next = `${location.pathname}${search === '' ? '' : `?${search}`}${location.hash}`;
  if (next !== `${location.pathname}${location.search}${location.hash}`)
    history.replaceState(history.state, '', next);
}

/** Keeps both the same from now on. */
export function bindAddress(): void {
  readAddress();
  addEventListener('popstate', readAddress);
  effect(() => {
    // Each of them is read, so that a change of any is written.
    void [project.value, words.value, wanted.value];
    writeAddress();
  });
}
