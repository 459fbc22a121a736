import test from 'ava';
import { knockForBest } from '../../../src/client/ladder.ts';
import { Folder } from '../server/folder.ts';
import { run } from '../server/running.ts';

// the server's firewall has `address` and `once`, and its policy wants `once`

test('the first that the server accepts is taken', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  t.like(await knockForBest(profile, ['once', 'address']), { granted: true, admission: 'once' });
  t.like(server.status().knocks, { granted: 1, refused: 0 });
});

test('what it does not accept costs one more knock', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  const { server } = await run(t, folder);
  const result = await knockForBest(profile, ['gate', 'bound', 'once']);
  t.like(result, { granted: true, admission: 'once' });
  t.like(server.status().knocks, { granted: 1, refused: 1 });
});

test('when it accepts none of them, the refusal names what it would', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await run(t, folder);
  t.like(await knockForBest(profile, ['gate', 'address']), {
    granted: false,
    reason: 'admission-refused',
    acceptable: ['once'],
  });
});

test('the server chooses when nothing is asked for', async (t) => {
  const folder = await Folder.create(t);
  const profile = await folder.addPeer('alice');
  await run(t, folder);
  t.like(await knockForBest(profile, []), { granted: true, admission: 'once' });
});
