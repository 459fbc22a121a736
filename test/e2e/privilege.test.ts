import { netTestWith } from '../support/capabilities.ts';
import { Conversation } from '../support/conversation.ts';
import { deploy, knock, servicePort } from '../support/deployment.ts';
import { here } from '../support/machine.ts';
import { asNobody } from '../support/nobody.ts';
import { tableIn, tablesIn } from '../support/ruleset.ts';
import { visit, welcome } from '../support/service.ts';
import { addresses } from '../support/topology.ts';

const target = { address: addresses.server, port: servicePort };

netTestWith('setpriv')('serve needs no more than CAP_NET_ADMIN', async (t) => {
  const { server, client, daemon } = await deploy(t);
  await daemon.end();
  await here.exec(['chown', '-R', 'nobody:nogroup', server.path('server')]);

  const powerless = asNobody('', server.argv('serve'));
  const { code, stderr } = await server.run(powerless, { allowFailure: true });
  t.is(code, 69);
  t.regex(stderr, /CAP_NET_ADMIN/);
  t.deepEqual(await tablesIn(server.place), []);
  t.is(await visit(client, target), welcome, 'nothing was shut');

  await server.serveAs(asNobody(',+net_admin', server.argv('serve')));
  t.not(await tableIn(server.place, 'inet hknock'), null);
  t.is(await visit(client, target), 'no answer');
  t.true((await knock(client)).granted);
  t.is(await visit(client, target), welcome);
  const conversation = await Conversation.begin(client);
  await server.run(asNobody('', server.argv('close', '--peer', 'alice', '--cut')));
  t.false(await conversation.isAlive(1000));
});
