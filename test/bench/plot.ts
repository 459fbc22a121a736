/** Milliseconds for one port more, by how many are open. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly open: number; readonly ms: number }[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 40;
const BOTTOM = 50;
const TOP = 20;
const colours = ['#1b6ac9', '#c9531b'];

/** A picture (SVG 1.1) with ports on a linear axis and milliseconds on a logarithmic one. */
export function plot(series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  const most = Math.max(...all.map(({ open }) => open));
  const low = Math.floor(Math.log10(Math.min(...all.map(({ ms }) => ms))));
  const high = Math.ceil(Math.log10(Math.max(...all.map(({ ms }) => ms))));
  const x = (open: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * open) / most;
  const y = (ms: number): number =>
    HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (Math.log10(ms) - low)) / (high - low);
  const decades = Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
  const text = (at: readonly [number, number], words: string, anchor = 'middle'): string =>
    `<text x="${at[0].toFixed(0)}" y="${at[1].toFixed(0)}" text-anchor="${anchor}">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(WIDTH)}" height="${String(HEIGHT)}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...decades.flatMap((ms) => [
      `<path d="M${String(LEFT)} ${y(ms).toFixed(1)}H${String(WIDTH - RIGHT)}" stroke="#ddd"/>`,
      text([LEFT - 8, y(ms) + 4], `${String(Number(ms.toPrecision(1)))} ms`, 'end'),
    ]),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) =>
      text([x(most * part), HEIGHT - BOTTOM + 18], Math.round(most * part).toLocaleString('en-US')),
    ),
    text([WIDTH / 2, HEIGHT - 10], 'ports open for one client, before one more is opened'),
    ...series.flatMap(({ name, points }, at) => {
      const colour = colours[at % colours.length] ?? 'black';
      const line = points.map(({ open, ms }) => `${x(open).toFixed(1)} ${y(ms).toFixed(1)}`);
      return [
        `<path d="M${line.join('L')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
        // below the middle of its line
        `<g fill="${colour}">${text([x(most / 2), y(middleOf(points)) + 32], name)}</g>`,
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

function middleOf(points: Series['points']): number {
  return points[Math.floor(points.length / 2)]?.ms ?? 1;
}
