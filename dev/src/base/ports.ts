import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Local services listen here only: nobody else on the network reaches them. */
export const LOOPBACK = '127.0.0.1';
/** Below the range from which systems take the ports of outgoing connections (32768 and up on Linux). */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_MAX = 200;

/** Whether nobody listens on the loopback port at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') done(false);
      else fail(error);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => server.close(() => done(true)));
  });
}

/** A free loopback port outside `taken`. */
export async function findFreePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let i = 0; i < TRIES_MAX; i += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free loopback port between ${PORT_MIN} and ${PORT_MAX}`);
}
