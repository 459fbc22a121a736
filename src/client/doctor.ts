import { connectDatagramSocket } from '../dgram-ext/connect.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Profile } from '../store/profile.ts';
import { ProfileStore } from '../store/profile-store.ts';
import { fail, type Finding, ok, warn } from '../units/finding.ts';
import { formatEndpoint, type IpAddress } from '../units/network.ts';
import { resolveHost } from './resolve.ts';

/** Looks for what would keep the profiles kept here from working. Sends nothing to the servers; empty when there are no profiles. */
export async function examineClient(store = new ProfileStore()): Promise<readonly Finding[]> {
  try {
    const profiles = await store.list();
    return (await Promise.all(profiles.map(examineProfile))).flat();
  } catch (fault) {
    if (!(fault instanceof HknockError)) throw fault;
    return [fail(fault.message, fault.hint ?? `see ${store.path}`)];
  }
}

async function examineProfile({ name, hosts, port }: Profile): Promise<readonly Finding[]> {
  const looks = await Promise.allSettled(
    hosts.map(async (host) => {
      const addresses = await resolveHost(host);
      return Promise.allSettled(addresses.map((address) => routeTo(address, port)));
    }),
  );
  const routes = looks.flatMap((each) => (each.status === 'fulfilled' ? each.value : [each]));
  const usable = routes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const faults = routes.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  );
  const broken = usable.length === 0 ? fail : warn;
  return [
    ...usable.map((route) => ok(`profile '${name}': ${route}`)),
    ...faults.map((fault) => {
      if (!(fault instanceof HknockError)) throw fault;
      return broken(`profile '${name}': ${fault.message}`, fault.hint ?? 'check the network');
    }),
  ];
}

/** Connecting a UDP socket asks the kernel for a route and sends nothing. */
async function routeTo(address: IpAddress, port: Profile['port']): Promise<string> {
  const socket = await connectDatagramSocket({ address, port });
  const [local] = socket.local;
  await socket.close();
  return `UDP ${formatEndpoint({ address, port })} is on a way from ${local?.address ?? 'here'}`;
}
