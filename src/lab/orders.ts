/** What a program of the laboratory can be told to do, by name. What goes there and back is cloned, byte arrays too. */
export type Orders = Readonly<Record<string, (argument: never) => unknown>>;

/** An order on its way to a program. */
interface Order {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** What a program says: that it is ready, what came of an order, or something that nobody has asked for. */
export type Word =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'report'; readonly report: unknown };

/** Run by such a program: does what it is told until its parent is gone. */
export function takeOrders(orders: Orders): void {
  process.on('message', ({ id, name, argument }: Order) => {
    void obey(orders, { id, name, argument });
  });
  // not by process.exit, which waits for threads that read a device
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  tell({ kind: 'ready' });
}

/** Says something that nobody has asked for. */
export function report(what: unknown): void {
  tell({ kind: 'report', report: what });
}

async function obey(orders: Orders, { id, name, argument }: Order): Promise<void> {
  try {
    const result = await orders[name]?.(argument as never);
    tell({ kind: 'done', id, result });
  } catch (fault) {
    tell({ kind: 'failed', id, message: fault instanceof Error ? fault.message : String(fault) });
  }
}

function tell(word: Word): void {
  if (process.connected) process.send?.(word);
}
