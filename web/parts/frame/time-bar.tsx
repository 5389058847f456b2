/** The slider that shows the page as it was at any event of the log. */
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { live } from '../../state/board.ts';
import { goLive, goTo, past, pastTrouble, wanted } from '../../state/past.ts';
import { moment, number } from '../base/format.ts';
import { Line } from '../base/safe-text.tsx';
import { eventSentence } from '../task/event-sentence.ts';

/** Events per second while the past is played. */
const SPEEDS = [1, 5, 25, 100] as const;
const TICKS_PER_SECOND = 5;

/** Goes one event back or forward; the step after the last event is the present. */
export function step(by: 1 | -1): void {
  const next = (wanted.value ?? lastEvent()) + by;
  if (next > lastEvent()) goLive();
  else if (next >= 1) void goTo(next);
}

const lastEvent = (): number => live.value?.sequence ?? 0;

/** Plays the log from the shown event on while `isPlaying` is true. */
function usePlayer(isPlaying: Signal<boolean>, speed: Signal<number>): void {
  useEffect(() => {
    if (!isPlaying.value) return;
    let rest = 0;
    const timer = setInterval(() => {
      // The next moment waits until the previous one is shown.
      if (past.value?.board.sequence !== wanted.value && pastTrouble.value === null) return;
      rest += speed.value / TICKS_PER_SECOND;
      const events = Math.floor(rest);
      rest -= events;
      if (events === 0) return;
      const next = (wanted.value ?? 0) + events;
      if (next < lastEvent()) void goTo(next);
      else goLive();
    }, 1_000 / TICKS_PER_SECOND);
    return () => clearInterval(timer);
  }, [isPlaying.value]);
  useSignalEffect(() => {
    if (wanted.value === null) isPlaying.value = false;
  });
}

export function TimeBar() {
  const isPlaying = useSignal(false);
  const speed = useSignal<number>(5);
  usePlayer(isPlaying, speed);
  const end = lastEvent();
  const at = wanted.value ?? end;
  const isPast = wanted.value !== null;
  if (end === 0) return null;
  return (
    <section class="time-bar" aria-label="Time travel" data-past={isPast}>
      <div class="time-row">
        <Buttons isPlaying={isPlaying} isFirst={at <= 1} isPast={isPast} />
        <input
          type="range"
          min={1}
          max={end}
          value={at}
          aria-label="Position in the log"
          aria-valuetext={isPast ? `event ${at} of ${end}` : 'the present'}
          onInput={(event) => {
            const position = Number(event.currentTarget.value);
            if (position >= end) goLive();
            else void goTo(position);
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

interface ButtonsProps {
  readonly isPlaying: Signal<boolean>;
  readonly isFirst: boolean;
  readonly isPast: boolean;
}

function Buttons({ isPlaying, isFirst, isPast }: ButtonsProps) {
  const button = (label: string, sign: string, disabled: boolean, onClick: () => void) => (
    <button type="button" class="quiet" aria-label={label} disabled={disabled} onClick={onClick}>
      {sign}
    </button>
  );
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-pressed={!isPast}
        data-live={!isPast}
        onClick={goLive}
        title="Back to the present (p)"
      >
        <span class="dot" aria-hidden="true" /> Live
      </button>
      {button('One event back', '◂', isFirst, () => step(-1))}
      {button(isPlaying.value ? 'Pause' : 'Play from here', isPlaying.value ? '❚❚' : '▶', !isPast, () => {
        isPlaying.value = !isPlaying.value;
      })}
      {button('One event forward', '▸', !isPast, () => step(1))}
    </>
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
