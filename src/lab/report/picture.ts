import { addresses } from '../network.ts';
import { escapeHtml } from './escape.ts';

interface Place {
  readonly name: string;
  readonly note: string;
  readonly x: number;
  readonly y: number;
  readonly kind: 'own' | 'way' | 'attacker';
}

const WIDTH = 132;
const HEIGHT = 52;

const places = {
  client: { name: 'client', note: addresses.client, x: 8, y: 10, kind: 'own' },
  neighbour: { name: 'neighbour', note: addresses.neighbour, x: 8, y: 118, kind: 'attacker' },
  nat: { name: 'NAT', note: addresses.nat, x: 176, y: 64, kind: 'way' },
  router: { name: 'router', note: 'A1, A2, A3', x: 344, y: 64, kind: 'attacker' },
  stranger: { name: 'attacker', note: addresses.stranger, x: 344, y: 172, kind: 'attacker' },
  server: { name: 'server', note: addresses.server, x: 512, y: 64, kind: 'own' },
  nobody: { name: 'nobody', note: addresses.nobody, x: 512, y: 172, kind: 'way' },
} as const satisfies Readonly<Record<string, Place>>;

const links = [
  ['client', 'nat'],
  ['neighbour', 'nat'],
  ['nat', 'router'],
  ['stranger', 'router'],
  ['router', 'server'],
  ['router', 'nobody'],
] as const;

/** The network of network.ts, as SVG. */
export function drawNetwork(): string {
  const lines = links.map(([a, b]) => {
    const [from, to] = [middleOf(places[a]), middleOf(places[b])];
    return `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}"/>`;
  });
  const title =
    'Client and neighbour behind a NAT, the router, the attacker’s own host, the server, an address where there is nobody';
  return `<svg viewBox="0 0 652 232" role="img" aria-label="${title}">
${lines.join('\n')}
${Object.values(places).map(drawPlace).join('\n')}
</svg>`;
}

function drawPlace({ name, note, x, y, kind }: Place): string {
  const middle = String(x + WIDTH / 2);
  return `<g class="${kind}"><rect x="${String(x)}" y="${String(y)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" rx="8"/>
<text x="${middle}" y="${String(y + 22)}">${escapeHtml(name)}</text>
<text class="note" x="${middle}" y="${String(y + 40)}">${escapeHtml(note)}</text></g>`;
}

function middleOf({ x, y }: Place): { readonly x: string; readonly y: string } {
  return { x: String(x + WIDTH / 2), y: String(y + HEIGHT / 2) };
}
