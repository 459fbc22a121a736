/** The part of `hknock.toml` about knocks by sequences of ports. */
export const sequenceTemplate = `[sequence]
# Knocks by sequences of closed ports, for clients that cannot run hknock. Off unless a scheme is named here. "totp":
# ports that change every 30 seconds, made from a secret ("hknock peer add --totp"). Any other name is that of a file
# NAME.toml, mode 0600, in the folder schemes: one of the classic schemes (protocol-spec/sequence.md, section 8). All are
# weaker than the usual way to knock: at the start a line of the log says against whom.
schemes = []
# Where packets come from: "nflog" (the kernel tells, over tcpdump; needs nftables and root) or "log" (lines that a
# firewall rule of your own writes, in the format of iptables' LOG).
source = "nflog"
# The kernel's log group; another one if some other program has it.
group = 6220
# The file with those lines, or "/dev/kmsg" for the kernel's log itself; and what your rule writes before "IN=".
log_file = "/var/log/kern.log"
log_prefix = "hknock: "
# How long a sequence may take.
window = "15s"
# After so many packets to watched ports within that time, an IPv4 address or IPv6 /64 network is ignored for a while.
budget = 32
ignore = "1m"
# Packets that the kernel hands on at most, in all and for one IPv4 address or IPv6 /64 network.
packets_per_second = 50000
source_packets_per_second = 100

[sequence.totp]
# Knocks in a sequence, their protocol, and the ports they are for: at least 256 for each. All of these ports are shut
# to everybody, so none of them can be a service's.
knocks = 6
protocol = "tcp"
ports = "20000-32767"
`;
