import { connect } from 'node:net';
import { HknockError } from '../errors/hknock-error.ts';
import { formatEndpoint, type IpAddress, type Port } from '../units/network.ts';

const PATIENCE_MS = 5000;

/** More digits than there are sequences in any file. */
const ANSWER = /^([1-9]\d{0,5})\n$/;

/**
 * Asks a server which of its sequences for one use each is next. Nothing proves that it is the server who answers.
 * @throws {HknockError} `no-answer`, or `protocol` when what it says is no number
 */
export async function askNumber(address: IpAddress, port: Port): Promise<number> {
  const socket = connect({ host: address, port, timeout: PATIENCE_MS });
  const where = formatEndpoint({ address, port });
  try {
    socket.setEncoding('latin1').once('timeout', () => {
      socket.destroy(new Error('it takes too long'));
    });
    let said = '';
    for await (const text of socket as AsyncIterable<string>) {
      said += text;
      if (said.length > 16) break;
    }
    const [, number] = ANSWER.exec(said) ?? [];
    if (number !== undefined) return Number(number);
    throw new HknockError('protocol', `${where} tells no number of a sequence`);
  } catch (cause) {
    if (cause instanceof HknockError) throw cause;
    throw new HknockError('no-answer', `${where} does not tell which sequence is next`, {
      hint: 'ask the operator for the number, and give it as --number N',
      cause,
    });
  } finally {
    socket.destroy();
  }
}
