/** The present, for everything that shows how long ago something was. */
import { signal } from '@preact/signals';

/** Epoch milliseconds; moves on each second while the page is seen. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);
