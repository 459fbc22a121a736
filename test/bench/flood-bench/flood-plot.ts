import { type Kind, kinds } from './kinds.ts';
import type { Measured } from './measure.ts';

const WIDTH = 860;
const TOP = 40;
const LEFT = 220;
const RIGHT = 130;
const BAR = 12;
const GAP = 16;
const colours = ['#1b6ac9', '#7fb2ea', '#c9531b'];

/** A picture (SVG 1.1): of each system under each kind of flood, which share of the legitimate knocks let its client in, and how soon. */
export function floodPlot(measured: readonly Measured[]): string {
  const systems = [...new Set(measured.map(({ system }) => system))];
  const shown = [...new Set(measured.map(({ kind }) => kind))];
  const group = BAR * systems.length + GAP;
  const height = TOP + group * shown.length + 40;
  const scale = { x: (share: number) => LEFT + (WIDTH - LEFT - RIGHT) * share, systems, group };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(WIDTH)}" height="${String(height)}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...systems.map((name, at) => legend(name, at)),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => grid(scale.x(share), share, height)),
    ...shown.map((kind, at) => label(kind, TOP + group * at + (group - GAP) / 2 + 4)),
    ...measured.map((each) => bar(each, scale, TOP + group * shown.indexOf(each.kind))),
    text(
      [LEFT, height - 6],
      'share of legitimate knocks that let their client in, and the median time',
      'start',
    ),
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly x: (share: number) => number;
  readonly systems: readonly string[];
}

function bar({ system, legitimate, rate }: Measured, { x, systems }: Scale, top: number): string {
  const at = systems.indexOf(system);
  const { succeeded, tried, p50 } = legitimate;
  const end = x(succeeded / tried);
  const y = top + BAR * at;
  const size = `width="${Math.max(1, end - LEFT).toFixed(1)}" height="${String(BAR - 2)}"`;
  const time = Number.isNaN(p50) ? 'none' : `${p50.toFixed(1)} ms`;
  const words = `${time} at ${Math.round(rate / 1000).toLocaleString('en-US')}k/s`;
  return `<rect x="${String(LEFT)}" y="${String(y)}" ${size} fill="${colourOf(at)}"/>
<g font-size="10">${text([end + 4, y + BAR - 3], words, 'start')}</g>`;
}

function label(kind: Kind, y: number): string {
  return text([LEFT - 8, y], kinds[kind], 'end');
}

function legend(name: string, at: number): string {
  const x = LEFT + 160 * at;
  return `<rect x="${String(x)}" y="8" width="12" height="12" fill="${colourOf(at)}"/>${text([x + 18, 18], name, 'start')}`;
}

function grid(x: number, share: number, height: number): readonly string[] {
  const line = `<path d="M${x.toFixed(1)} ${String(TOP - 6)}V${String(height - 36)}" stroke="#ddd"/>`;
  return [line, text([x, height - 22], `${String(share * 100)} %`, 'middle')];
}

function colourOf(at: number): string {
  return colours[at % colours.length] ?? 'black';
}

function text(at: readonly [number, number], words: string, anchor: string): string {
  return `<text x="${at[0].toFixed(0)}" y="${at[1].toFixed(0)}" text-anchor="${anchor}">${words}</text>`;
}
