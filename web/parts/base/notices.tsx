/** Short messages about what was done; a screen reader reads them aloud. */
import { signal } from '@preact/signals';

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'bad';
}

const SHOWN_MS = 6_000;
const MAX_NOTICES = 4;
const notices = signal<readonly Notice[]>([]);
let last = 0;

export function notify(text: string, tone: Notice['tone'] = 'good'): void {
  const notice = { id: ++last, text, tone };
  notices.value = [...notices.value, notice].slice(-MAX_NOTICES);
  setTimeout(() => {
    notices.value = notices.value.filter(({ id }) => id !== notice.id);
  }, SHOWN_MS);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text, tone }) => (
        <p key={id} data-tone={tone}>
          {text}
        </p>
      ))}
    </div>
  );
}
