/** A chart over time with its legend, and the same figures in a table below for screen readers. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { theme } from '../../state/theme.ts';
import type { Tone } from './basics.tsx';
import { ZONE } from './format.ts';

export interface Series {
  readonly label: string;
  readonly tone: Tone;
  readonly values: readonly (number | null)[];
  /** What the table says about each value, and the legend about their sum, if it is more than the number. */
  readonly texts?: readonly string[];
  readonly total?: string;
}

export interface PlotProps {
  readonly title: string;
  /** Seconds since 1970; of a day its beginning in UTC. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** What the values count, as in `US dollars`. */
  readonly unit: string;
  readonly format: (value: number) => string;
  /** Shorter, for the axis. */
  readonly axisFormat?: (value: number) => string;
  /** `days`: a bar for each day, on which the series stand on top of each other. */
  readonly kind?: 'lines' | 'days';
}

type Kind = NonNullable<PlotProps['kind']>;
type Place = HTMLDivElement;

const HEIGHT = 240;

export function Plot(props: PlotProps) {
  const { title, times, series, kind = 'lines' } = props;
  const element = useRef<Place>(null);
  const shown = useRef<uPlot | null>(null);
  const hovered = useSignal<number | null>(null);
  const labels = series.map(({ label }) => label).join();
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    const plot = new uPlot(
      optionsOf(place, props, (index) => {
        hovered.value = index;
      }),
      [[], ...series.map(() => [])],
      place,
    );
    shown.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    observer.observe(place);
    return () => {
      observer.disconnect();
      plot.destroy();
      shown.current = null;
    };
    // The colours depend on the theme: the plot is drawn again when it changes.
  }, [labels, theme.value]);
  useEffect(() => {
    shown.current?.setData([[...times], ...drawn(series, kind).map(({ values }) => [...values])]);
  }, [times, series, theme.value]);
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      <Legend {...props} index={hovered.value} />
      <div ref={element} role="img" aria-label={`${title}: ${summaries(props).join('; ')}`} />
      <Table {...props} />
    </figure>
  );
}

/** What is under the pointer; without one, the sum of all days, or the last value. */
function Legend({ index, ...props }: PlotProps & { readonly index: number | null }) {
  const { times, series, format, kind = 'lines' } = props;
  const usual = kind === 'days' ? `all ${times.length} days` : 'last value';
  return (
    <ul class="legend">
      <li class="dim">{index === null ? usual : timeText(times[index] ?? 0, kind)}</li>
      {series.map((each) => (
        <li key={each.label} data-tone={each.tone}>
          <i aria-hidden="true" /> {each.label}{' '}
          <strong>{index === null ? summaryOf(each, props) : valueText(each, index, format)}</strong>
        </li>
      ))}
    </ul>
  );
}

function Table({ times, series, format, kind = 'lines' }: PlotProps) {
  return (
    <details>
      <summary>Show as table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard. */}
      <section class="scroll" tabIndex={0} aria-label="The figures of the plot">
        <table>
          <thead>
            <tr>
              <th scope="col">{kind === 'days' ? 'Day' : 'Time'}</th>
              {series.map(({ label }) => (
                <th key={label} scope="col" class="right">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times.map((time, index) => (
              <tr key={time}>
                <td>{timeText(time, kind)}</td>
                {series.map((each) => (
                  <td key={each.label} class="right">
                    {valueText(each, index, format)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

type Format = PlotProps['format'];

const text = (value: number | null | undefined, format: Format): string =>
  value === null || value === undefined ? '–' : format(value);

const valueText = ({ values, texts }: Series, index: number, format: Format): string =>
  texts?.[index] ?? text(values[index], format);

/** The sum of all days, or the last value. */
function summaryOf({ values, total }: Series, { format, kind }: Pick<PlotProps, 'format' | 'kind'>): string {
  if (kind !== 'days')
    return text(
      values.findLast((value) => value !== null),
      format,
    );
  return total ?? format(values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
}

function summaries({ series, unit, ...props }: PlotProps): string[] {
  return series.map((each) => `${each.label} ${summaryOf(each, props)} ${unit}`);
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

const timeText = (seconds: number, kind: Kind): string =>
  (kind === 'days' ? weekday : clock).format(seconds * 1_000);

/** The series in the order in which they are drawn: of stacked bars the highest one first, so that the others cover it. */
function drawn(series: readonly Series[], kind: Kind): Pick<Series, 'tone' | 'values'>[] {
  if (kind === 'lines') return [...series];
  const heights: number[] = [];
  const stacked = series.map(({ tone, values }) => ({
    tone,
    values: values.map((value, index) => {
      heights[index] = (heights[index] ?? 0) + (value ?? 0);
      return heights[index] ?? 0;
    }),
  }));
  return stacked.reverse();
}

/** The value of a colour in the current theme; a canvas cannot read CSS variables. */
function colourOf(place: Place, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The widest share of a day that its bar takes, and its greatest width in pixels. */
const BAR_SIZE: [number, number] = [0.75, 48];
const HALF_DAY_SECONDS = 43_200;
/** Pixels between two labels of the axis of time. */
const LABEL_SPACE = 64;

function optionsOf(
  place: Place,
  { series, unit, format, axisFormat = format, kind = 'lines' }: PlotProps,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const colour = (name: string): string => colourOf(place, name);
  const { fontFamily } = getComputedStyle(place);
  const axis = {
    stroke: colour('text-dim'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: `12px ${fontFamily}`,
    labelFont: `12px ${fontFamily}`,
    labelSize: 18,
  };
  const days: uPlot.Axis = {
    values: (_plot, times) => times.map((time) => calendar.format(time * 1_000)),
    splits: (plot) => everyNth(plot.data[0], (plot.width - 80) / LABEL_SPACE),
  };
  const hours: uPlot.Axis = { values: (_plot, times) => times.map((time) => clock.format(time * 1_000)) };
  const around: uPlot.Range.Function = (_plot, from, to) => [from - HALF_DAY_SECONDS, to + HALF_DAY_SECONDS];
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: kind === 'lines' } },
    hooks: { setCursor: [({ cursor }) => onHover(cursor.idx ?? null)] },
    scales: {
      x: { time: true, ...(kind === 'days' && { range: around }) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: LABEL_SPACE,
        label: `${kind === 'days' ? 'Day' : 'Time'} (${ZONE})`,
        ...(kind === 'days' ? days : hours),
      },
      { ...axis, size: 54, label: unit, values: (_plot, values) => values.map(axisFormat) },
    ],
    series: [
      {},
      ...drawn(series, kind).map(({ tone }) => ({
        stroke: colour(`${tone}-line`),
        spanGaps: false,
        ...(kind === 'lines' ? { width: 2, points: { size: 5 } } : barsOf(colour(`${tone}-line`))),
      })),
    ],
  };
}

function barsOf(fill: string): Pick<uPlot.Series, 'fill' | 'width' | 'paths' | 'points'> {
  const paths = uPlot.paths.bars?.({ size: BAR_SIZE });
  return { fill, width: 0, points: { show: false }, ...(paths && { paths }) };
}

/** As many times as there is room for, the last one among them. */
function everyNth(times: ArrayLike<number>, room: number): number[] {
  const all = Array.from(times);
  const step = Math.max(1, Math.ceil(all.length / Math.max(1, room)));
  return all.filter((_, index) => (all.length - 1 - index) % step === 0);
}
