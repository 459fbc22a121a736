/** So many in a second, and so many at once. */
export interface FloodLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * What gets to the responder when more comes than it can judge (protocol-spec/shield.md says why each number). Together 42,000
 * datagrams a second, seven tenths of what one core answers.
 */
export const floodLimits = {
  /** What somebody who knocked before sends, from one source and from all. */
  known: { perSecond: 200, burst: 400 },
  allKnown: { perSecond: 12_000, burst: 1200 },
  /** Responses from where a Challenge went, from one endpoint and from all. */
  awaited: { perSecond: 4, burst: 16 },
  allAwaited: { perSecond: 6000, burst: 600 },
  /** What anybody else sends: under one tag, messages of one kind; and all together. */
  tag: { perSecond: 8000, burst: 800 },
  crowd: { perSecond: 24_000, burst: 2400 },
  /** Of the crowd: from one source. One that sends more is busy, and all that are busy have one share together. */
  source: { perSecond: 500, burst: 500 },
  busy: { perSecond: 2000, burst: 200 },
  /** Of the crowd: the same datagram. A client sends it five times in four seconds. */
  copies: { perSecond: 1, burst: 8 },
} as const satisfies Readonly<Record<string, FloodLimit>>;

export type FloodLimits = Readonly<Record<keyof typeof floodLimits, FloodLimit>>;

/** How long what has been learned of a source or a datagram is kept. */
export const floodMemory = {
  /** A source that a Grant went to. */
  knownSeconds: 86_400,
  /** An endpoint that a Challenge went to: as long as a client sends its Response again. */
  awaitedSeconds: 4,
  /** A datagram of which there were too many. */
  repeatedSeconds: 10,
  /** A source that sent too much. */
  busySeconds: 2,
  /** What is counted, to learn that. */
  countedSeconds: 2,
  /** Entries of each table: more than the crowd can fill in the time that it is remembered. */
  entries: 131_072,
} as const;
