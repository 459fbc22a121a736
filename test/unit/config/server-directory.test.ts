import { homedir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { serverDirectory } from '../../../src/config/server-directory.ts';

test('the folder is the one that is named, else the usual one of the user', (t) => {
  const home = '/home/alice';
  t.is(serverDirectory({ HKNOCK_DIR: '/srv/knock', HOME: home }, 0), '/srv/knock');
  t.is(serverDirectory({ HKNOCK_DIR: 'here' }, 1000), join(process.cwd(), 'here'));
  t.is(serverDirectory({ HOME: home, XDG_CONFIG_HOME: '/xdg' }, 0), '/etc/hknock');
  t.is(serverDirectory({ HKNOCK_DIR: '', HOME: home }, 1000), '/home/alice/.config/hknock/server');
  t.is(serverDirectory({ HOME: home, XDG_CONFIG_HOME: '/xdg' }, 1000), '/xdg/hknock/server');
  t.is(
    serverDirectory({ HOME: home, XDG_CONFIG_HOME: 'xdg' }, 1000),
    '/home/alice/.config/hknock/server',
  );
  t.is(serverDirectory({}, 1000), join(homedir(), '.config/hknock/server'));
});
