/** A line chart over time, with the same figures in a table below for screen readers. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { theme } from '../../state/theme.ts';

export interface Series {
  readonly label: string;
  /** Name of a colour in the style sheet, such as `good`. */
  readonly tone: string;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

const HEIGHT = 220;

export function Plot({ title, times, series, format }: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  const shown = useRef<uPlot | null>(null);
  const labels = series.map(({ label }) => label).join();
  useEffect(() => {
    const place = element.current;
    if (!place) return;
    const plot = new uPlot(optionsOf(place, series, format), [[], ...series.map(() => [])], place);
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
    shown.current?.setData([[...times], ...series.map(({ values }) => [...values])]);
  }, [times, labels, theme.value]);
  return (
    <figure class="plot">
      <figcaption>{title}</figcaption>
      <div ref={element} role="img" aria-label={`${title}: ${series.map(summaryOf(format)).join('; ')}`} />
      <details>
        <summary>Show as table</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Time</th>
                {series.map(({ label }) => (
                  <th key={label} class="right">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, index) => (
                <tr key={time}>
                  <td>{hour(time)}</td>
                  {series.map(({ label, values }) => (
                    <td key={label} class="right">
                      {text(values[index], format)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

const text = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '–' : format(value);

const summaryOf =
  (format: (value: number) => string) =>
  ({ label, values }: Series): string =>
    `${label} ${text(
      values.findLast((value) => value !== null),
      format,
    )}`;

const hour = (seconds: number): string =>
  new Date(seconds * 1_000).toLocaleTimeString('en-GB', { timeStyle: 'short' });

/** The value of a colour in the current theme; a canvas cannot read CSS variables. */
function colourOf(place: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(
  place: HTMLElement,
  series: readonly Series[],
  format: (value: number) => string,
): uPlot.Options {
  const colour = (name: string): string => colourOf(place, name);
  const axis = {
    stroke: colour('text-dim'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, 1)] } },
    axes: [
      { ...axis, size: 28, space: 64, values: (_plot, times) => times.map(hour) },
      { ...axis, size: 64, values: (_plot, values) => values.map(format) },
    ],
    series: [
      { value: (_plot, time) => (time === null ? '–' : new Date(time * 1_000).toLocaleTimeString('en-GB')) },
      ...series.map(({ label, tone }) => ({
        label,
        stroke: colour(`${tone}-line`),
        width: 2,
        points: { show: false },
        spanGaps: false,
        value: (_plot: uPlot, value: number | null) => text(value, format),
      })),
    ],
  };
}
