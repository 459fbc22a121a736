import type { Defence } from '../scheme.ts';
import { within } from '../within.ts';

export interface Handshaking extends Pick<
  Defence,
  'ports' | 'isProof' | 'guessing' | 'revoke' | 'endGrants'
> {
  /** Has the client knock; when it is said how long that may take, it connects too. The number of the connection, or 0. */
  readonly knock: (connectWithinMs: number | null) => Promise<number>;
}

/** For schemes whose clients are told what became of their knock: they connect at once. */
export function byHandshake({ knock, ...rest }: Handshaking): Defence {
  return {
    ...rest,
    knock: async () => {
      await knock(null);
    },
    enter: (withinMs) => within(knock(withinMs), withinMs),
  };
}
