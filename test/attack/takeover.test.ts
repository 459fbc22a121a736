// Takeover: somebody on the way, who sees the sequence numbers of a connection that has been let in, forges what comes next in it.
//
//   client 192.168.7.2 --- nat (forger.py, between NAT and server) --- 198.51.100.2 server
import { fileURLToPath } from 'node:url';
import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { ask, deploy, type Deployment } from '../support/deployment.ts';
import { gatePort, withGate } from '../support/gate.ts';
import { inline } from '../support/inline.ts';
import { interfaceTo, until } from '../support/netns.ts';
import { Printer } from '../support/printer.ts';
import { welcome } from '../support/service.ts';

const ledgerPort = 9000;
const forgery = 'delete everything';
const patient = 30_000;

/** A service that says back what it hears, and writes down what that was and how each connection ended. */
async function ledger(port: string, greeting: string): Promise<void> {
  const { createServer } = await import('node:net');
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(`${greeting}\n`);
    socket.on('data', (bytes: Buffer) => {
      console.log(`heard ${String(bytes)}`);
      socket.write(bytes);
    });
    socket.on('end', () => {
      console.log('was told the end');
      socket.end();
    });
    socket.on('error', () => {
      console.log('was broken off');
    });
  }).listen(Number(port), '::', () => {
    console.log('ready');
  });
}

/** To the NAT the answers to what was forged behind it are strange; it must not end the connection itself before they are all there. */
const quiet = `
  table inet quiet {
    chain input {
      type filter hook input priority filter;
      ct state invalid drop
    }
  }`;

/** A connection of the client's, after a word or two, and somebody who forges: `order` is one of forger.py's. */
async function attack({ client, topology }: Deployment, admission: string, order: string) {
  const program = fileURLToPath(new URL('forger.py', import.meta.url));
  const port = admission === 'gate' ? gatePort : ledgerPort;
  const argv = ['python3', program, interfaceTo(topology.server), String(port)];
  const forger = await Printer.begin(
    topology.nat.spawn(argv, { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const victim = await Conversation.begin(client, 'ledger', '--admission', admission);
  await victim.say(`hello by ${admission}`);
  forger.child.stdin?.write(`${order}\n`);
  return { victim, forger };
}

netTestWith('python3')(
  'takeover: forged segments are the client’s words to a service, and through the gate nobody’s',
  async (t) => {
    const deployment = await deploy(t, {
      services: 'ledger',
      configure: (text) =>
        `${withGate(text)}\n[services.ledger]\nports = ["tcp/${String(ledgerPort)}"]\nadmission = "address"\n`,
    });
    const { server, topology } = deployment;
    await topology.nat.exec(['nft', '-f', '-'], { input: quiet });
    const argv = inline(ledger, String(ledgerPort), welcome);
    const service = await Printer.begin(
      server.start(argv, { stdio: ['ignore', 'pipe', 'inherit'] }),
    );

    for (const admission of ['address', 'once', 'bound']) {
      const said = `${forgery} by ${admission}`;
      const { forger } = await attack(deployment, admission, `say ${said}`);
      await service.prints(`heard ${said}`);
      await forger.prints(said);
      t.pass('control: the service took the line for the client’s, and its answer was seen');
      await forger.stop();
    }
    service.text = '';
    const ended = await attack(deployment, 'address', 'end');
    await service.prints('was told the end');
    t.pass('control: the service took the forged end for the client’s');
    await ended.forger.stop();

    const visitors = async (): Promise<unknown> =>
      ((await ask(server, 'status')) as { gate: { visitors: number } }).gate.visitors;
    for (const order of [`say ${forgery}`, 'repeat', 'end']) {
      service.text = '';
      const { victim, forger } = await attack(deployment, 'gate', order);
      await until(
        async () => (await visitors()) === 0,
        `the gate to see that of '${order}'`,
        patient,
      );
      await service.prints('was broken off');
      t.deepEqual(service.text.split('\n').filter(Boolean), [
        'heard hello by gate',
        'was broken off',
      ]);
      t.notRegex(forger.text, /hello|delete/, 'nothing to read either');
      t.false(await victim.isAlive(1000));
      await forger.stop();
    }
  },
);
