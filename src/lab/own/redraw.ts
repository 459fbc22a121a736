import { TRIPLE_DES_KEY_LENGTH } from '../../bytes/key-lengths.ts';
import { drawBelow, drawPorts } from '../../config/drawing.ts';
import type { Entropy } from '../../host/entropy.ts';
import { formatKey } from '../../store/key-text.ts';
import { parsePortRange, type PortRange } from '../../units/network.ts';
import { type Setting, textAt, type TomlTable, type TomlValue } from './settings.ts';

/** Where ports that were chosen one by one are drawn from; clients have theirs above, and most services below. */
const FREE: PortRange = parsePortRange('33000-59999');

/** Of a key of fwknop's encrypted sequence. */
const AES_KEY_LENGTH = 16;

/** Enough for all attacks. */
const MIN_SEQUENCES = 50;

/**
 * What makes a scheme's file into that of another client: as long, as many, in the same range, and none of its secrets.
 * @param taken ports that must not be knocked at
 */
export function redraw(
  file: TomlTable,
  { taken, entropy }: { readonly taken: ReadonlySet<number>; readonly entropy: Entropy },
): readonly Setting[] {
  switch (file['kind']) {
    case 'fixed':
    case 'fwknop-shared':
      return redrawHits(file, taken, entropy);
    case 'dynamic':
      return ['header', 'footer'].map((key) => ({
        path: [key],
        value: digits(textAt(file, key).length, entropy),
      }));
    case 'encrypted':
      return [{ path: ['key'], value: formatKey(entropy.bytes(TRIPLE_DES_KEY_LENGTH)) }];
    case 'fwknop-encrypted':
      return [{ path: ['key'], value: formatKey(entropy.bytes(AES_KEY_LENGTH)) }];
    default:
      return [{ path: ['sequences'], value: sequencesLike(file, entropy) }];
  }
}

/** The same ports become the same others, so that what was a pattern stays one. */
function redrawHits(
  file: TomlTable,
  taken: ReadonlySet<number>,
  entropy: Entropy,
): readonly Setting[] {
  const keys = ['open', 'close', 'ban', 'sequence'].filter((key) => Array.isArray(file[key]));
  const lists = keys.map((key) => ({ key, hits: file[key] as readonly string[] }));
  const known = [...new Set(lists.flatMap(({ hits }) => hits))];
  const free = drawPorts(FREE, known.length + taken.size, entropy).filter(
    (port) => !taken.has(port),
  );
  const drawn = new Map(known.map((hit, at) => [hit, redrawHit(hit, free[at] ?? FREE.last)]));
  return lists.map(({ key, hits }) => ({
    path: [key],
    value: hits.map((hit): TomlValue => drawn.get(hit) ?? hit),
  }));
}

function redrawHit(hit: string, port: number): string {
  const [protocol = ''] = hit.split('/');
  return protocol === 'icmp' ? hit : `${protocol}/${String(port)}`;
}

function sequencesLike(file: TomlTable, entropy: Entropy): string {
  const lines = textAt(file, 'sequences').trim().split('\n');
  const knocks = lines[0]?.split(',').length ?? 0;
  const range = parsePortRange(textAt(file, 'ports'));
  return Array.from({ length: Math.max(lines.length, MIN_SEQUENCES) }, () =>
    Array.from(
      { length: knocks },
      () => range.first + drawBelow(range.last - range.first + 1, entropy),
    ),
  ).join('\n');
}

function digits(count: number, entropy: Entropy): string {
  return Array.from({ length: count }, () => String(drawBelow(10, entropy))).join('');
}
