/** Makes room for one more: takes away the entry that was set before all others. */
export function forgetOldest<Key>(entries: Map<Key, unknown>): void {
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
}
