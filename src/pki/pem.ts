/** Writes bytes as PEM (RFC 7468). */
export function encodePem(der: Uint8Array, label: string): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** The bytes of the first block of that label; text around it is passed over. Null when there is none that is whole. */
export function decodePem(text: string, label: string): Uint8Array | null {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) return null;
  const base64 = text.slice(from + begin.length, to).replaceAll(/\s/g, '');
  const der = Uint8Array.from(Buffer.from(base64, 'base64'));
  return Buffer.from(der).toString('base64') === base64 ? der : null;
}

/** The bytes of a file that is PEM with that label, or else DER; null when it looks like PEM and holds something else. */
export function pemOrDer(file: Uint8Array, label: string): Uint8Array | null {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1');
  return text.includes('-----BEGIN ') ? decodePem(text, label) : file;
}
