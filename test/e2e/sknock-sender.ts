// Run by sknock.test.ts on a client: `ADDRESS PORT CLAIMED SERVICE-PORT CERTIFICATE KEY SERVER-CERTIFICATE`. Sends one knock that
// OpenSSL's cryptography and the specification alone have made, and shares no code with the server. Prints any answer.
import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import * as sknock from '../../fixtures/oracle/sknock.ts';

const [address = '', port, claimed = '', wanted, ...files] = process.argv.slice(2);
const [certificate, key, server] = files.map((file) => readFileSync(file));
if (certificate === undefined || key === undefined || server === undefined) throw new Error();

const request = sknock.request({
  protocol: 1,
  port: Number(wanted),
  address: claimed,
  timestamp: Math.floor(Date.now() / 1000),
  certificate: new X509Certificate(certificate).raw,
});
const signature = sign('sha256', request, createPrivateKey(key));
const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const secrets = sknock.secrets(ephemeral, new X509Certificate(server).publicKey);
const datagram = Buffer.concat([
  Buffer.of(0x61, 1, 0, 0),
  sknock.encrypt(secrets, Buffer.concat([request, sknock.trailer(signature)])),
  sknock.point(ephemeral),
]);

const socket = createSocket(isIPv4(address) ? 'udp4' : 'udp6');
socket.on('message', (answer) => {
  console.log(`answered with ${String(answer.length)} bytes`);
});
socket.send(datagram, Number(port), address, () => {
  setTimeout(() => socket.close(), 300);
});
