import { sequenceTemplate } from './sequence-template.ts';
import { silentTemplate } from './silent-template.ts';
import { type Endpoint, formatEndpoint } from '../units/network.ts';

/** The `hknock.toml` of a new server: every option with its default and what it does. */
export function configTemplate(listen: readonly Endpoint[]): string {
  const addresses = listen.map((endpoint) => `"${formatEndpoint(endpoint)}"`).join(', ');
  return `${introduction}listen = [${addresses}]\n${options}`;
}

/** The lines that add a service at the end of a configuration. */
export function serviceTemplate(name: string, options: Readonly<Record<string, string>>): string {
  const lines = Object.entries(options).map(([key, value]) => `${key} = ${value}\n`);
  return `\n[services.${name}]\n${lines.join('')}`;
}

const introduction = `# Configuration of the hknock server. Durations are "500ms", "30s", "5m", "2h".
# After a change: hknock doctor checks it, SIGHUP makes a running server read it again.

# UDP addresses on which knocks are received.
`;

const options = `
# Names or addresses under which clients reach this server; they go into the profiles that
# "hknock peer add" writes. When there are none, it has to be told with --host.
public_hosts = []

[server]
# Threads that read knocks and answer Requests, the main one included; more than one on Linux only. What is left is
# judged by the main one alone, so that nothing counts twice.
workers = 1

[firewall]
# What opens and shuts the ports: "nftables" (the kernel's own firewall), "iptables" (the same for hosts that have
# iptables and ipset instead), "userspace" (a forwarder in front of the services, needs no privilege), "command" (your
# own programs) or "none" (nothing: for trying things out).
backend = "nftables"
# When the server ends: "open" takes its rules away, "shut" leaves the ports shut to everybody new.
on_stop = "open"
# With "nftables": whether the kernel drops datagrams to the ports above that do not begin with the tag of a peer, and
# of the others what is more than this server can judge, so that a flood leaves it time for those who may come in.
shield = true

[firewall.userspace]
# Addresses on which the forwarder serves the ports of the services.
listen = ["0.0.0.0", "::"]

[firewall.command]
# Program and arguments that let a source in to one port and shut it out again, run without a shell. Filled in are
# {address}, {family}, {protocol}, {port}, {lifetime} (seconds), {grant}, {peer} and {service}; the environment has
# them as HKNOCK_ADDRESS and so on. Your own rules shut the ports to begin with; only admission "address" is possible.
open = []
close = []
# A program that runs longer is killed, and the knock refused.
time_limit = "5s"

[policy]
# The widest admission accepted. From wide to narrow: "address" (any connection from the address), "once" (the
# first new one), "port" (the first to a secret port), "bound" (the one with the secret number), "gate" (proven).
admission = "once"
# How long a grant waits for its connection. Established connections live on.
ttl = "30s"
# A grant for "address" to a UDP port stays in force while a UDP flow that came in by it lives, so long after the client
# asked for it last and no longer ("nftables" and "iptables"). "0s": no longer than ttl.
flow_keep = "1h"
# Whether revoking a peer also cuts the connections that it has.
cut_on_revoke = true

[admission]
# With admission "port" a grant has a random port among these: at least 10000, none of them used for anything else.
port_range = "10000-32767"
# One address may make so many new connections to these ports for a grant, and no more: a neighbour who guesses has
# this many tries among all the ports, and whoever waits behind the same address may have to knock again.
port_guesses = 16

[limits]
# Knocks of one peer: so many a second, and so many at once.
peer_knocks_per_second = 5
peer_knocks_burst = 50
# Knocks from one IPv4 address or IPv6 /64 network, which many clients may share.
source_knocks_per_second = 20
source_knocks_burst = 100
# Live grants of one peer, to one IPv4 address or IPv6 /64 network, and in all. One that was used counts until its time is over.
grants_per_peer = 256
grants_per_source = 1024
grants = 131072
# Knocks remembered so that none counts twice.
replay_records = 65536

[gate]
# TCP addresses of the gate, all with one port, such as ["0.0.0.0:62203", "[::]:62203"]; without any, admission "gate" is not to
# be had. It forwards to a service's "upstream", or to its port on 127.0.0.1.
listen = []
# Whether a connection may come from another address than the knock, as behind some carriers' NAT. Then anybody
# can connect to the port, and the key alone admits.
any_address = false

${sequenceTemplate}
[fwknop]
# Lets the clients of fwknop 2.6 in, by single-packet authorization: with the keys that a peer's file gives as
# fwknop_key and fwknop_hmac_key. One packet, which needs a clock that is right, an address that the client knows, and
# gets no answer; prefer hknock's own knock where there is a choice.
enabled = false
# UDP addresses on which the packets are received.
listen = ["0.0.0.0:62201", "[::]:62201"]
# How far a packet's time may lie from the server's.
max_age = "120s"
# Whether a packet may name 0.0.0.0 ("fwknop -s") and let in the address that it comes from. Whoever can hold such a packet
# back and send it from elsewhere gets in himself.
accept_any_source = false

[fwknop.commands]
# What packets may have run ("fwknop --server-cmd restart-web"), with the firewall backend "command" only: each with its program and
# arguments, without a shell, filled in as those of [firewall.command] ({address}, {family}, {peer}, {command}). A peer may run
# those that its file names in fwknop_commands.
# restart-web = ["/usr/bin/systemctl", "restart", "web"]

${silentTemplate}
[log]
# The least important lines that are written: "debug", "info", "warn" or "error".
level = "info"

[control]
# The socket for "hknock status" and its like, in the server's folder unless it begins with a slash.
path = "control.sock"

# For clients that come with certificates: "hknock ca init" and "hknock ca issue NAME --server" make what it takes.
# Paths are in the server's folder unless they begin with a slash.
#
# [certificates]
# # The authority's certificate in PEM, and this server's own private key: PEM, or PKCS#12 (.p12) with its password in the environment
# # variable HKNOCK_PKCS12_PASSWORD.
# ca = "ca/ca.pem"
# key = "server.key"
# # The list of revoked certificates, PEM or DER: a path, or an http or https URL.
# crl = "ca/crl.pem"
# # How often it is read again; SIGHUP does so too.
# crl_refresh = "30m"
# # When it is missing or out of date: "closed" lets no certificate in, "warn" goes on with the last one.
# on_stale = "closed"
# # Threads for public-key work, and as many for sKnock; one less than there are processors, at least one, if not said.
# threads = 1

# For clients that knock with one packet and a certificate, as sKnock does; it needs [certificates]. They must know their
# public address and have a right clock.
#
# [sknock]
# # UDP addresses of its own.
# listen = ["0.0.0.0:62203", "[::]:62203"]
# # Takes datagrams to any UDP port from 10000 to 60000 that nobody listens on, as the reference client sends them (Linux).
# range = false
# # How far a client's clock may be from ours.
# window = "7s"
# # Whether the address in the packet must be the one it comes from. Without, clients behind NAT can knock, and so can
# # whoever holds a client's packet back and sends it from elsewhere.
# check_address = true
# # Shorter Ethernet frames are passed over; every knock is longer. The reference server has 800, which suits its long certificates.
# min_frame = 500

# What may be opened, one table for each service: "hknock service add ssh tcp/22" adds one. All it can say:
#
# [services.ssh]
# ports = ["tcp/22"]
# # Where the ports are really served, one for each; for the userspace backend and for the gate.
# upstream = ["127.0.0.1:2222"]
# # Instead of what [policy] says:
# admission = "once"
# ttl = "30s"
# flow_keep = "1h"
# # Whether a peer can have a grant for its whole /24 (IPv6: /64), when its file says so too: for clients behind a carrier whose
# # NAT gives their connections another address than their knocks. Only with "nftables", and for "address" and "once".
# prefix = false
# # Whether it is told who comes through the gate: connections, or with UDP all datagrams, begin with a PROXY protocol
# # header, version 2.
# proxy_protocol = true
`;
