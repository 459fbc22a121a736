import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isInstalled as isProgram } from '../../src/lab/programs.ts';

/** What the tests run besides Node, and the Debian package it comes in. */
const packages: Readonly<Record<string, string>> = {
  nft: 'nftables',
  ip: 'iproute2',
  tcpdump: 'tcpdump',
  conntrack: 'conntrack',
  openssl: 'openssl',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  nmap: 'nmap',
  sysctl: 'procps',
  faketime: 'faketime',
  python3: 'python3',
  iptables: 'iptables',
  ipset: 'ipset',
  knockd: 'knockd',
  knock: 'knockd',
  ping: 'iputils-ping',
  fwknop: 'fwknop-client',
  fwknopd: 'fwknop-server',
  dnsmasq: 'dnsmasq-base',
  socat: 'socat',
  curl: 'curl',
  chromium: 'chromium',
  tshark: 'tshark', // 128 MB with its libraries
};

/** What they use that is no program: its package, and a file that the package brings. */
const libraries: Readonly<Record<string, string>> = {
  // Debian's own python3 finds it, whichever python3 comes first in PATH
  'python3-cryptography': '/usr/lib/python3/dist-packages/cryptography/__init__.py',
};

/** Packages that start a daemon where there is systemd, and its units. */
const units: Readonly<Record<string, readonly string[]>> = {
  'openssh-server': ['ssh.service', 'ssh.socket'],
  knockd: ['knockd.service'],
  'fwknop-server': ['fwknop-server.service'],
};

/**
 * Installs what the tests need and this machine lacks, when it is Debian and we are root; otherwise says what is missing.
 * @returns the programs that are still missing
 */
export function installPrograms(): readonly string[] {
  const missing = listMissing();
  if (missing.length === 0) return missing;
  const wanted = missing.map((program) => packages[program] ?? program);
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    console.error(`Missing here: ${missing.join(', ')} (Debian: ${wanted.join(' ')})`);
    return missing;
  }
  console.error(`Installing what the tests need from Debian: ${wanted.join(' ')}`);
  install(wanted);
  return listMissing();
}

/** Whether a program of that name can be run here, or a library is there. */
export function isInstalled(name: string): boolean {
  const library = libraries[name];
  return library === undefined ? isProgram(name) : existsSync(library);
}

function listMissing(): readonly string[] {
  return Object.keys({ ...packages, ...libraries }).filter((name) => !isInstalled(name));
}

function install(wanted: readonly string[]): void {
  // on a machine of somebody's own, a package must not leave a new daemon behind
  const systemd = existsSync('/run/systemd/system');
  const daemons = systemd ? wanted.flatMap((name) => units[name] ?? []) : [];
  if (daemons.length > 0) quietly('systemctl', '--runtime', 'mask', ...daemons);
  quietly('apt-get', 'update', '-q');
  quietly('apt-get', 'install', '-q', '-y', '--no-install-recommends', ...wanted);
  if (daemons.length > 0) {
    quietly('systemctl', '--runtime', 'unmask', ...daemons);
    quietly('systemctl', 'disable', ...daemons);
  }
}

function quietly(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    // runlevel 1: the same wish, told to a machine without systemd (invoke-rc.d(8))
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (status !== 0) console.error(`${program} ${args[0] ?? ''} failed: ${stderr.trim()}`);
}
