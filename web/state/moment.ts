/** The time of what is shown: now, or the moment that somebody has gone back to. */
import { computed } from '@preact/signals';
import { now } from './clock.ts';
import { past } from './past.ts';

/** Epoch milliseconds. */
export const shownTime = computed(() => (past.value === null ? now.value : Date.parse(past.value.time)));
