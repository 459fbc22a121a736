// joins its standard streams to the port of 127.0.0.1 that is its argument; says the code of a fault on standard error
import { once } from 'node:events';
import { connect } from 'node:net';
import { joinStdio } from '../../../src/client/join-stdio.ts';
import { HknockError } from '../../../src/errors/hknock-error.ts';

const socket = connect({ port: Number(process.argv[2]), host: '127.0.0.1', allowHalfOpen: true });
await once(socket, 'connect');
try {
  await joinStdio(socket, process);
} catch (fault) {
  console.error(fault instanceof HknockError ? fault.code : fault);
  process.exitCode = 69;
}
