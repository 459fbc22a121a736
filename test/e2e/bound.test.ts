import type { ExecutionContext } from 'ava';
import { netTest, netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy } from '../support/deployment.ts';
import { here } from '../support/machine.ts';
import { asNobody } from '../support/nobody.ts';
import { renumber } from '../support/renumber.ts';
import { welcome } from '../support/service.ts';

async function getsIn(
  t: ExecutionContext,
  begin: Promise<Conversation>,
  words: string,
): Promise<void> {
  const conversation = await begin;
  await conversation.say(words);
  t.is(await conversation.end(), 0, words);
}

netTest('bound: behind a NAT that rewrites sequence numbers the client says so', async (t) => {
  const { client, topology } = await deploy(t);
  const begin = (admission: string) => Conversation.begin(client, '--admission', admission);
  await getsIn(t, begin('bound'), 'before it does');
  await renumber(topology);
  await getsIn(t, begin('once'), 'another admission, when it does');

  const bound = ['connect', 'gate', '--admission', 'bound'];
  const { code, stdout, stderr } = await client.hknock(bound, { allowFailure: true });
  t.like({ code, stdout }, { code: 69, stdout: '' });
  t.regex(stderr, /granted, but .*:8080 did not take the connection/);
  t.regex(stderr, /perhaps a NAT on the way rewrites sequence numbers/);
});

netTestWith('setpriv')(
  'bound: a client without privilege passes over it, and says which admission it got',
  async (t) => {
    const { client } = await deploy(t);
    await here.exec(['chown', '-R', 'nobody:nogroup', client.home]);
    const connect = (...admissions: readonly string[]) => {
      const argv = client.argv('connect', 'gate', '--admission', admissions.join(','));
      return client.run(asNobody('', argv), { allowFailure: true });
    };
    const passed = await connect('bound', 'port', 'once');
    t.like(passed, { code: 0, stdout: `${welcome}\n` });
    t.regex(passed.stderr, /passed over 'bound': it needs Linux and CAP_NET_ADMIN/);
    t.regex(passed.stderr, /admission port/);

    const stuck = await connect('bound');
    t.like(stuck, { code: 69, stdout: '' });
    t.regex(stuck.stderr, /cannot connect as admission 'bound' wants it.*\n?.*CAP_NET_ADMIN/);

    const able = asNobody(',+net_admin', client.argv('connect', 'gate', '--admission', 'bound'));
    t.is(
      (await client.run(able)).stdout,
      `${welcome}\n`,
      'control: the privilege is what it lacks',
    );
  },
);
