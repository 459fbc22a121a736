/** The gate's TCP port in tests. */
export const gatePort = 62203;

/** Puts a gate in a new `hknock.toml`, and has the service `web` accept nothing wider. */
export function withGate(text: string): string {
  const listen = `listen = ["0.0.0.0:${String(gatePort)}", "[::]:${String(gatePort)}"]`;
  return text
    .replace('listen = []', listen)
    .replace('[services.web]', '[services.web]\nadmission = "gate"');
}
