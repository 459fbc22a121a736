import { Option, type Command } from 'commander';
import type { KnockGranted, KnockRefused, KnockResult } from '../client/knock.ts';
import { HknockError } from '../errors/hknock-error.ts';
import type { Admission } from '../units/admission.ts';
import type { ServiceName } from '../units/names.ts';
import { formatServicePort } from '../units/network.ts';
import {
  type KnockCliOptions,
  parseWish,
  requireService,
  type Wish,
  withKnockOptions,
} from './knock-options.ts';
import { argument, jsonOption } from './options.ts';
import { print, printJson, tell, withSpinner } from './terminal.ts';

const refusals: Readonly<Record<KnockRefused['reason'], string>> = {
  'service-refused': 'the server has no such service for you',
  'admission-refused': 'the server does not accept that admission',
  'limit-reached': 'too many knocks or grants; wait a little',
  'firewall-failed': "the server's firewall did not take the change; tell its operator",
  busy: 'the server is busy; try again',
  'prefix-refused': 'the server does not let you in from a whole prefix',
};

/** `hknock knock` */
export function addKnock(program: Command): void {
  withKnockOptions(program.command('knock'))
    .argument(
      '[service]',
      'what to have opened; with --mode sknock a port such as tcp/22',
      argument(parseWish),
    )
    .addOption(
      new Option(
        '--verify',
        'with --mode sknock or fwknop: connect to see whether it opened, which uses up a grant for one connection',
      ),
    )
    .addOption(jsonOption())
    .description('Knocks, and tells what was opened, for whom, until when.')
    .addHelpText('after', '\nExample:\n  hknock knock gate.example.org ssh --json')
    .action(knock);
}

async function knock(
  host: string,
  wish: Wish | undefined,
  options: KnockCliOptions,
): Promise<void> {
  if (options.mode === 'silent') {
    throw new HknockError('usage', 'in silent mode the connection is the knock', {
      hint: `hknock connect ${host} --mode silent`,
    });
  }
  if (options.mode === 'fwknop' || options.mode === 'sknock') {
    const { knockAsFwknop, knockAsSknock } = await import('./one-packet.ts');
    if (options.mode === 'sknock') await knockAsSknock(host, wish, options);
    else await knockAsFwknop(host, requireService(wish), options);
    return;
  }
  const result = await knockAt(host, requireService(wish), options).catch((fault: unknown) => {
    if (options.json && fault instanceof HknockError)
      printJson({ granted: false, reason: fault.code });
    throw fault;
  });
  if (options.json) printJson(jsonOf(host, result));
  if (!result.granted) throw refusal(result);
  if (!options.json) print(describe(result));
}

/** Knocks with the profile that belongs to HOST, or with the certificate that the options name. */
export async function knockAt(
  host: string,
  service: ServiceName | undefined,
  cliOptions: KnockCliOptions,
): Promise<KnockResult> {
  const { knockForBest } = await import('../client/ladder.ts');
  const { access, within } = await accessTo(host, cliOptions);
  const { admission, expect, prefix } = cliOptions;
  const options = {
    ...(service && { service }),
    ...(expect && { expect }),
    ...(prefix && { breadth: 'prefix' as const }),
    ...(within && { host: within }),
  };
  const passedOver: Admission[] = [];
  const onPassedOver = (each: Admission): void => void passedOver.push(each);
  const result = await withSpinner(`knocking at ${host}`, () =>
    knockForBest(access, admission ?? [], { ...options, onPassedOver }),
  );
  for (const each of passedOver) {
    tell(`passed over '${each}': it needs Linux and CAP_NET_ADMIN`);
  }
  return result;
}

async function accessTo(
  host: string,
  { mode, profile: named, cert, key, serverCert, port }: KnockCliOptions,
) {
  const { certificateFiles, certificateFor, findProfile, hostWithin } =
    await import('./profile.ts');
  if (mode === 'certificate') {
    const files = certificateFiles({ mode, cert, key, serverCert });
    const access = await certificateFor(host, files, port);
    return { access, within: undefined };
  }
  const access = await findProfile(host, named);
  return { access, within: hostWithin(access, host) };
}

/** A refusal as the fault that it is for whoever wanted to get in. */
export function refusal({ reason, acceptable }: KnockRefused): HknockError {
  const hint = acceptable.length > 0 ? { hint: `it accepts: ${acceptable.join(', ')}` } : {};
  return new HknockError('refused', `refused: ${refusals[reason]} (${reason})`, hint);
}

/** Tells on standard error what a grant says. */
export function tellGrant(result: KnockGranted): void {
  tell(describe(result));
}

function describe({
  service,
  server,
  ports,
  observed,
  behindNat,
  prefix,
  admission,
  admissionPort,
  expiresAt,
}: KnockGranted): string {
  const opened = ports.map(formatServicePort).join(', ');
  const seen = behindNat ? `${observed.address} (behind NAT)` : observed.address;
  const where = prefix === null ? seen : `${prefix} (seen at ${observed.address})`;
  const at = admissionPort === null ? '' : ` (connect to port ${String(admissionPort)})`;
  const until = new Date(expiresAt).toISOString();
  return `${service} (${opened}) at ${server} is open for ${where}, admission ${admission}${at}, until ${until}`;
}

function jsonOf(host: string, result: KnockResult): object {
  if (!result.granted) {
    const { granted, reason, acceptable } = result;
    return { granted, reason, ...(acceptable.length > 0 && { acceptable }) };
  }
  const { service, ports, observed, claimed, behindNat, admission, expiresAt, elapsedMs } = result;
  const { prefix } = result;
  const [first] = ports;
  return {
    granted: true,
    host,
    service,
    protocol: first?.protocol,
    port: first?.port,
    ports: ports.map(formatServicePort),
    server: result.server,
    observedAddress: observed.address,
    observedPort: observed.port,
    claimedAddress: claimed.address,
    behindNat,
    ...(prefix && { prefix }),
    admission,
    ...(result.admissionPort !== null && { admissionPort: result.admissionPort }),
    expiresAt: new Date(expiresAt).toISOString(),
    elapsedMs,
    mode: result.mode,
    grant: result.grant,
  };
}
