/** The slider that takes the whole page back to any moment of the log. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { live } from '../../state/board.ts';
import { goLive, goTo, past, pastTrouble, wanted } from '../../state/past.ts';
import { moment, number } from '../base/format.ts';
import { Line } from '../base/safe-text.tsx';
import { eventSentence } from '../task/event-sentence.ts';

/** Events a second, where the past is played. */
const SPEEDS = [1, 5, 25, 100] as const;

/** One event back or forward; forward over the end is the present. */
export function step(by: 1 | -1): void {
  const end = live.value?.sequence ?? 0;
  const next = (wanted.value ?? end) + by;
  if (next > end) goLive();
  else if (next >= 1) void goTo(next);
}

export function TimeBar() {
  const isPlaying = useSignal(false);
  const speed = useSignal<number>(5);
  const end = live.value?.sequence ?? 0;
  const at = wanted.value ?? end;
  const isPast = wanted.value !== null;

  useEffect(() => {
    if (!isPlaying.value) return;
    let rest = 0;
    const timer = setInterval(() => {
      // The next picture waits for the one before it.
      if (past.value?.board.sequence !== wanted.value && pastTrouble.value === null) return;
      rest += speed.value / 5;
      const events = Math.floor(rest);
      rest -= events;
      if (events === 0) return;
      const next = (wanted.value ?? 0) + events;
      if (next < (live.value?.sequence ?? 0)) void goTo(next);
      else {
        isPlaying.value = false;
        goLive();
      }
    }, 200);
    return () => clearInterval(timer);
  }, [isPlaying.value]);
  useSignalEffect(() => {
    if (wanted.value === null) isPlaying.value = false;
  });

  if (end === 0) return null;
  return (
    <section class="time-bar" aria-label="Time travel" data-past={isPast}>
      <div class="time-row">
        <button
          type="button"
          class="quiet"
          aria-pressed={!isPast}
          data-live={!isPast}
          onClick={goLive}
          title="The present (p)"
        >
          <span class="dot" aria-hidden="true" /> Live
        </button>
        <button
          type="button"
          class="quiet"
          aria-label="One event back"
          onClick={() => step(-1)}
          disabled={at <= 1}
        >
          ◂
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={isPlaying.value ? 'Pause' : 'Play from here'}
          disabled={!isPast}
          onClick={() => {
            isPlaying.value = !isPlaying.value;
          }}
        >
          {isPlaying.value ? '❚❚' : '▶'}
        </button>
        <button
          type="button"
          class="quiet"
          aria-label="One event forward"
          onClick={() => step(1)}
          disabled={!isPast}
        >
          ▸
        </button>
        <input
          type="range"
          min={1}
          max={end}
          value={at}
          aria-label="Place in the log"
          aria-valuetext={isPast ? `event ${at} of ${end}` : 'the present'}
          onInput={(event) => {
            const place = Number(event.currentTarget.value);
            if (place >= end) goLive();
            else void goTo(place);
          }}
        />
        <span class="mono time-place">
          {number(at)} / {number(end)}
        </span>
        {isPast && (
          <select
            aria-label="Speed"
            value={speed.value}
            onChange={(event) => {
              speed.value = Number(event.currentTarget.value);
            }}
          >
            {SPEEDS.map((each) => (
              <option key={each} value={each}>
                {each}/s
              </option>
            ))}
          </select>
        )}
      </div>
      {isPast && <PastLine />}
    </section>
  );
}

function PastLine() {
  const shown = past.value;
  return (
    <p class="past-line" role="status">
      {pastTrouble.value !== null && <strong>{pastTrouble.value} </strong>}
      {shown && (
        <>
          <strong>
            The past: event {number(shown.board.sequence)}, {moment(shown.time)}.
          </strong>{' '}
          <Line text={eventSentence(shown.event)} />
        </>
      )}
    </p>
  );
}
