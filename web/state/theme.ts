/** Light, dark, or the theme of the system. */
import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'signalbox.theme';
const saved = localStorage.getItem(KEY);

export const theme = signal<Theme>(THEMES.find((each) => each === saved) ?? 'system');

effect(() => {
  const chosen = theme.value;
  localStorage.setItem(KEY, chosen);
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
}
