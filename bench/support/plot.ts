/** A curve as an SVG image that is readable in light and dark mode. */

export interface Curve {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 70;
const TOP = 40;
const RIGHT = 20;
const BOTTOM = 50;
const TICKS = 4;

export function plot({ title, x, y, points }: Curve): string {
  const maxX = Math.max(...points.map((point) => point.x));
  const maxY = Math.max(...points.map((point) => point.y)) * 1.1;
  const atX = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * value) / maxX;
  const atY = (value: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / maxY;
  const path = points.map((point) => `${atX(point.x).toFixed(1)},${atY(point.y).toFixed(1)}`).join(' ');
  const dots = points.map(
    (point) => `<circle cx="${atX(point.x).toFixed(1)}" cy="${atY(point.y).toFixed(1)}" r="3"/>`,
  );
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => index / TICKS);
  const yTicks = ticks.map((share) => {
    const at = atY(maxY * share).toFixed(1);
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${at}" text-anchor="end" dy="4">${label(maxY * share)}</text>`;
  });
  const xTicks = ticks.map(
    (share) =>
      `<text x="${atX(maxX * share).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${label(maxX * share)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#555}.grid{stroke:#8884;fill:none}.curve{stroke:#2a6fdb;fill:none;stroke-width:2}circle{fill:#2a6fdb}@media(prefers-color-scheme:dark){text{fill:#bbb}.curve{stroke:#7db1ff}circle{fill:#7db1ff}}</style>',
    `<text x="${LEFT}" y="22" style="font-size:15px;font-weight:600">${title}</text>`,
    ...yTicks,
    ...xTicks,
    `<polyline class="curve" points="${path}"/>`,
    ...dots,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${x}</text>`,
    `<text x="${LEFT}" y="${TOP - 4}">${y}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function label(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toFixed(1))}M`;
  if (value >= 10_000) return `${Math.round(value / 1_000)}k`;
  if (value >= 1_000) return `${Number((value / 1_000).toFixed(1))}k`;
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(2)));
}
