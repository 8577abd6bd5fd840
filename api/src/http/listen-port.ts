import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** On the machine itself an answer takes microseconds; a firewall that drops packets must not hold up the start. */
const PROBE_TIMEOUT_MS = 500;

/** Another process answers on the port. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  constructor(port: number, host: string) {
    super(`Port ${port} on ${host} can't be opened: somebody answers there already`);
  }
}

/**
 * The port that uWebSockets is to open: the wanted one if nobody answers there, or a free one for 0.
 *
 * uWebSockets opens a given port with SO_REUSEPORT, so a second server would silently get a part of the first one's
 * requests; its exclusive mode is no way out, since it fails for a minute after a restart, on lingering connections. And
 * a port it chose itself (0) cannot be opened again for a minute at all. So both are settled here.
 *
 * @throws PortTakenError
 */
export async function choosePort(wanted: number, host: string): Promise<number> {
  if (wanted === 0) return freePort(host);
  const probe = connect({ port: wanted, host, timeout: PROBE_TIMEOUT_MS });
  const answered = await Promise.race([
    once(probe, 'connect').then(() => true),
    once(probe, 'timeout').then(() => false),
    // A free port refuses. Any other error of the address shows when it is opened.
  ]).catch(() => false);
  probe.destroy();
  if (answered) throw new PortTakenError(wanted, host);
  return wanted;
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
