/** What a new `hknock.toml` says about silent mode. */
export const silentTemplate = `[silent]
# Lets clients in by the initial sequence number of their SYN alone: "hknock connect HOST SERVICE --mode silent". Clients need
# Linux, CAP_NET_ADMIN and a clock that is right. Nothing but 32 bits proves them, unless the service wants admission "gate":
# prefer that. Only with "nftables".
enabled = false
# The addresses under which clients reach this server, as they see them; those in public_hosts when there are none.
addresses = []
# Connections that a peer can make to one port within 30 s.
slots = 4
# Wrong numbers that are looked at in any day, half of them at once. Whoever sends more, and when all together do everybody, is
# not looked at for an hour. What leads to the gate is always looked at.
source_guesses_per_day = 30
guesses_per_day = 300
# Whether each peer's number of TCP Stealth is good too, once every 30 s: for clients that have it (--tcp-stealth). It never changes, so
# whoever has seen it once gets in by it later. Not for services behind the gate.
tcp_stealth = false
# Whether a stranger may get in within a day with odds above one in a million. "hknock doctor" says what they are.
allow_guessing_odds = false
`;
