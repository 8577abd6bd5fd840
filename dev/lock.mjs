/**
 * A mutex between processes of this machine, held by a listening socket: the kernel releases it when the
 * holder dies, however it dies, so there are no stale locks to clean up. Plain JavaScript with Node's
 * built-ins, because the bootstrap needs it before anything is installed.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const POLL_MS = 250;
/** Longest wait for another process, which may be downloading everything: past that something hangs. */
const WAIT_MS_MAX = 15 * 60_000;

/**
 * The address of a socket that belongs to a folder. Linux has an abstract namespace (nothing on disk);
 * elsewhere a short path under the temporary folder, since socket paths end at about 100 bytes.
 * @param {string} folder
 * @param {string} purpose
 */
export function socketAddress(folder, purpose) {
  const hash = createHash('sha256')
    .update(`${process.getuid?.() ?? ''}:${resolve(folder)}:${purpose}`)
    .digest('hex')
    .slice(0, 24);
  if (process.platform === 'linux') return `\0chip-quality-${hash}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\chip-quality-${hash}`;
  return join(tmpdir(), `chip-quality-${hash}.sock`);
}

/**
 * Listens on the address, or returns undefined when a living process has it. A socket file left by a dead
 * one is removed.
 * @param {string} address
 * @returns {Promise<import('node:net').Server | undefined>}
 */
export async function tryListen(address) {
  for (const attempt of [1, 2]) {
    const server = createServer();
    const error = await new Promise((done) => {
      server.once('error', done);
      server.listen(address, () => done(undefined));
    });
    if (error === undefined) return server;
    if (error.code !== 'EADDRINUSE') throw error;
    if (address.startsWith('\0') || attempt === 2 || (await answers(address))) return undefined;
    rmSync(address, { force: true });
  }
  return undefined;
}

/** @param {string} address */
function answers(address) {
  return new Promise((done) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

/**
 * Runs `body` while no other process runs a body under the same folder and purpose.
 * @template T
 * @param {string} folder
 * @param {string} purpose
 * @param {() => T | Promise<T>} body
 * @param {() => void} [onWait] called once when somebody else holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(folder, purpose, body, onWait) {
  const address = socketAddress(folder, purpose);
  let server = await tryListen(address);
  if (!server) onWait?.();
  for (let waitedMs = 0; !server; waitedMs += POLL_MS) {
    if (waitedMs > WAIT_MS_MAX)
      throw new Error(`another process has been busy with "${purpose}" for ${WAIT_MS_MAX / 60_000} minutes`);
    await new Promise((done) => setTimeout(done, POLL_MS));
    server = await tryListen(address);
  }
  server.unref();
  try {
    return await body();
  } finally {
    await new Promise((done) => server.close(done));
  }
}
