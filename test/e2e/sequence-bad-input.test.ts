import type { ExecutionContext } from 'ava';
import { netTestWith } from '../support/capabilities.ts';
import { deploy, servicePort } from '../support/deployment.ts';
import type { Daemon, Machine } from '../support/machine.ts';
import { until } from '../support/netns.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };
const test = netTestWith('tcpdump', 'python3').serial;

/** A server whose folder is a disk of its own, as small as it can be: a tmpfs in a mount namespace that ends with it. */
class SmallDisk {
  readonly #server: Machine;
  readonly daemon: Daemon;

  private constructor(server: Machine, daemon: Daemon) {
    this.#server = server;
    this.daemon = daemon;
  }

  static async serve(server: Machine): Promise<SmallDisk> {
    const folder = server.path('server');
    const prepare =
      'cp -a "$0" "$0.copy" && mount -t tmpfs -o size=256k,mode=700 tmpfs "$0" && cp -a "$0.copy/." "$0" && exec "$@"';
    const argv = ['unshare', '-m', 'sh', '-c', prepare, folder, ...server.argv('serve')];
    return new SmallDisk(server, await server.serveAs(argv));
  }

  /** Runs a command that sees the disk, and gives what it says. */
  async run(...argv: readonly string[]): Promise<string> {
    const enter = ['nsenter', '-t', String(this.daemon.child.pid), '-m'];
    return (await this.#server.run([...enter, ...argv])).stdout;
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    const status = await this.run(...this.#server.argv('status', '--json'));
    const { modes } = JSON.parse(status) as {
      readonly modes: { readonly sequence: Readonly<Record<string, number>> };
    };
    return modes.sequence;
  }

  async reaches(counter: string, count: number): Promise<void> {
    await until(
      async () => ((await this.counters())[counter] ?? -1) >= count,
      `${counter} to be ${String(count)}`,
      30_000,
    );
  }
}

async function prepared(t: ExecutionContext) {
  const deployment = await deploy(t, {
    hosts: [addresses.server],
    configure: (text) => text.replace('schemes = []', 'schemes = ["totp"]'),
  });
  const { server, client, daemon } = deployment;
  const profile = server.path('sam.toml');
  await server.hknock(['peer', 'add', 'sam', '--service', 'web', '--totp', '--out', profile]);
  await client.hknock(['import', profile, '--name', 'gate', '--replace']);
  await daemon.end();
  return { ...deployment, disk: await SmallDisk.serve(server) };
}

/** SYNs to port 20001 that no honest host sends, and one behind a header of IPv6's that some do. */
const sendOddities = `
import socket, struct, sys
def syn(port): return struct.pack('!HHIIBBHHH', 40000, port, 1, 0, 0x50, 2, 1024, 0, 0)
def ip4(payload, fragment):
    return struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 7, fragment, 64, 6, 0,
                       socket.inet_aton('${addresses.client}'), socket.inet_aton('${addresses.server}')) + payload
def ip6(first, payload):
    return struct.pack('!IHBB', 0x60000000, len(payload), first, 64) + \\
        socket.inet_pton(socket.AF_INET6, '${addresses.client6}') + \\
        socket.inet_pton(socket.AF_INET6, '${addresses.server6}') + payload
v4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
v6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
def send(sock, packet, to):
    try: sock.sendto(packet, (to, 0))
    except OSError: pass
send(v4, ip4(syn(20001), 0x2000), '${addresses.server}')
send(v4, ip4(syn(20001)[:12], 0), '${addresses.server}')
send(v6, ip6(44, struct.pack('!BBHI', 6, 0, 1, 9) + syn(20001)), '${addresses.server6}')
send(v6, ip6(6, syn(20001)[:12]), '${addresses.server6}')
send(v6, ip6(60, bytes([6, 0, 1, 4, 0, 0, 0, 0]) + syn(20001)), '${addresses.server6}')
`;

test('odd packets open nothing; on a full disk no step counts, and each does when there is room', async (t) => {
  const { client, disk } = await prepared(t);
  await client.run(['python3', '-c', sendOddities]);
  await disk.reaches('heard', 1);
  const { heard, failed, granted } = await disk.counters();
  t.deepEqual({ heard, failed, granted }, { heard: 1, failed: 0, granted: 0 });

  const steps = 'cat "$HKNOCK_DIR/sequence.steps"';
  const before = await disk.run('sh', '-c', steps);
  await disk.run('sh', '-c', 'dd if=/dev/zero of="$HKNOCK_DIR/filler" bs=4096 2>&1 || true');
  await client.hknock(['sequence', 'gate', 'web']);
  await disk.reaches('failed', 1);
  await disk.daemon.writes(/error knock failed .*ENOSPC/);
  t.is(await visit(client, target), 'no answer');
  t.is(await disk.run('sh', '-c', steps), before);

  await disk.run('sh', '-c', 'rm "$HKNOCK_DIR/filler"');
  await client.hknock(['sequence', 'gate', 'web']);
  await disk.reaches('granted', 1);
  t.is(await visit(client, target), welcome);
  t.regex(await disk.run('sh', '-c', steps), /^[0-9a-f]{16} \d+$/m);
});
