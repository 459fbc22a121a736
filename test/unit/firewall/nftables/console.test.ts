import test, { type ExecutionContext } from 'ava';
import { NftConsole } from '../../../../src/firewall/nftables/console.ts';
import { FakeClock } from '../../../../src/host/fake-clock.ts';
import { FakeLog } from '../../../../src/host/fake-log.ts';

/** Takes lines as nft does, refuses two of them, and writes what it always answers in pieces that come apart. */
const standIn = `while read -r line; do
  case $line in
    describe*) printf pay; sleep 0.05; echo load; sleep 0.05 ;;
    gone) echo 'Error: No such file or directory' >&2 ;;
    taken) echo 'Error: Could not process rule: File exists' >&2 ;;
  esac
done`;

function create(t: ExecutionContext): NftConsole {
  const command = ['sh', '-c', standIn];
  const nft = new NftConsole({ command, clock: new FakeClock(), log: new FakeLog() });
  t.teardown(() => nft.end());
  return nft;
}

test('each line has its own answer, which comes with the first piece of what nft writes', async (t) => {
  const nft = create(t);
  t.is(await nft.run(['good']), null);
  t.like(await nft.run(['taken']), { kind: 'exists' });
  t.is(await nft.run(['good']), null);
});

test('what is wrong with a line that nobody waited for is not held against the next', async (t) => {
  const nft = create(t);
  t.is(await nft.run(['good']), null);
  nft.runAhead(['gone']);
  t.is(await nft.run(['good']), null);
  nft.runAhead(['gone']);
  t.like(await nft.run(['taken']), { kind: 'exists' });
});
