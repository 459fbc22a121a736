import type { z } from 'zod';
import { text } from '../../store/toml/fields.ts';
import { parsePortRange, type PortRange } from '../../units/network.ts';

/** So many ports in a row, such as `"745-1000"`. */
export function rangeOf(count: number): z.ZodType<PortRange, string> {
  return text(`the first and the last of ${String(count)} ports, such as "700-800"`, (value) => {
    const range = parsePortRange(value);
    return range.last - range.first + 1 === count ? range : null;
  });
}
