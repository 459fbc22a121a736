// What any stranger can do: connects to HOST PORT, maybe FROM an address, and prints what there is to see.
import { connect } from 'node:net';

const [host, port, from] = process.argv.slice(2);

const socket = connect({
  host,
  port: Number(port),
  ...(from === undefined ? {} : { localAddress: from }),
});
const hasEnded = (seen: string) => () => {
  console.log(seen);
  process.exit();
};
setTimeout(hasEnded('no answer'), 1000);
socket.once('data', (text) => {
  hasEnded(`"${String(text).trim()}"`)();
});
socket.once('end', hasEnded('connection closed without a word'));
socket.once('error', (error: NodeJS.ErrnoException) => {
  hasEnded(error.code === 'ECONNREFUSED' ? 'connection refused' : `no (${String(error.code)})`)();
});
