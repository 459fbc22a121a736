const commands =
  'packets run no commands but those that [fwknop.commands] and fwknop_commands name';

const forwarding =
  "connections go to this machine, or with backend 'userspace' to a service's upstream";

const losses: Readonly<Record<string, string>> = {
  DESTINATION: 'packets to any address of this server count',
  MAX_FW_TIMEOUT: 'the time that a client asks for shortens a grant and never makes it longer',
  FORCE_NAT: forwarding,
  FORCE_SNAT: forwarding,
  FORCE_MASQUERADE: forwarding,
  FORWARD_ALL: forwarding,
  DISABLE_DNAT: forwarding,
};

/** What is lost with an entry of an access.conf that is not carried over; null when it asks for nothing. */
export function lossOf(key: string, value: string): string | null {
  if (['N', 'ANY'].includes(value.toUpperCase())) return null;
  if (key.startsWith('GPG_')) return 'packets by GnuPG are not understood';
  if (/^(ENABLE_)?CMD_|^SUDO_/.test(key)) return commands;
  return losses[key] ?? `'${key}' has no counterpart`;
}
