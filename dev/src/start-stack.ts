import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { socketAddress } from '../lock.mjs';
import { DEV_FOLDER, LOCAL_FOLDER, MODEL_REPOSITORY } from './base/paths.ts';
import { sleep } from './base/wait.ts';
import { CONTROL_PURPOSE, onMessages, PROTOCOL_VERSION, type SupervisorMessage, sendMessage } from './protocol.ts';
import type { ServiceName, StackEndpoints } from './services/service.ts';

const CONNECT_POLL_MS = 100;
/** For the supervisor process to come up: a Node start, slow only on a very busy machine. */
const CONNECT_TIMEOUT_MS = 60_000;
/** How often a supervisor that was just stopping when we came may be replaced by a new one. */
const RETRIES_MAX = 5;

/** Options of {@link startStack}. */
export interface StackOptions {
  /** Data folder; two folders are two independent stacks. Default: `.local` in the checkout. */
  readonly root?: string;
  /** Default: everything but Triton. */
  readonly services?: readonly ServiceName[];
  /** Progress lines for a person. */
  readonly log?: (line: string) => void;
  /** Called when a service ended by itself; `restarts` says whether it is being started again. */
  readonly onServiceEnded?: (service: ServiceName, how: string, restarts: boolean) => void;
  /** Called when the whole stack went away under us: its supervisor was killed. */
  readonly onLost?: () => void;
  /** Flush to disk at every commit (default). False is for tests. */
  readonly durable?: boolean;
  /** The model repository that Triton serves: as the first user of the stack says. Default: the one in the checkout. */
  readonly modelRepository?: string;
  /** Keep the services running this long after `stop()` of the last user, for the next one (default 0). */
  readonly lingerMs?: number;
}

/** A running local stack, held by this process until `stop()` or its death. */
export interface Stack extends StackEndpoints {
  /** Lets go of the stack. Resolves when the services are down, or at once when others still use them. */
  stop(): Promise<void>;
}

/** Raised when the stack cannot be started; the message says why and, where known, what to do. */
export class StackStartError extends Error {
  override readonly name = 'StackStartError';
}

/**
 * What is started unless somebody asks for other services: everything but Triton, which is half a gigabyte to install.
 */
export const DEFAULT_SERVICES = ['kafka', 'registry', 'postgres', 'objects'] as const satisfies readonly ServiceName[];

/** The addresses that are there when the services of {@link DEFAULT_SERVICES} were asked for. */
export type DefaultStack = Stack & Required<Omit<StackEndpoints, 'triton'>>;

/**
 * Starts the local stack, or joins the one that already runs on the same data folder, and resolves when every
 * service answers. The first start downloads what is missing, which takes minutes.
 */
export function startStack(options?: Omit<StackOptions, 'services'>): Promise<DefaultStack>;
export function startStack(options: StackOptions): Promise<Stack>;
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const root = resolve(options.root ?? LOCAL_FOLDER);
  mkdirSync(join(root, 'logs'), { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const socket = await reachSupervisor(root);
    const result = await hold(socket, options);
    if (typeof result !== 'string') return result;
    // The supervisor was stopping when we came; the next one waits until it is done.
    if (attempt === RETRIES_MAX) throw new StackStartError(result);
    await sleep(CONNECT_POLL_MS);
  }
}

/** Connects to the folder's supervisor, starting one when there is none. */
async function reachSupervisor(root: string): Promise<Socket> {
  const address = socketAddress(root, CONTROL_PURPOSE);
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  let isSpawned = false;
  for (;;) {
    const socket = await tryConnect(address);
    if (socket !== undefined) return socket;
    if (!isSpawned) {
      spawnSupervisor(root);
      isSpawned = true;
    }
    if (performance.now() > deadline) {
      throw new StackStartError(`the stack's supervisor does not answer; see ${join(root, 'logs', 'supervisor.log')}`);
    }
    await sleep(CONNECT_POLL_MS);
  }
}

function tryConnect(address: string): Promise<Socket | undefined> {
  return new Promise((done) => {
    const socket = connect(address);
    socket.once('connect', () => done(socket));
    socket.once('error', () => done(undefined)); // nobody listens (yet)
  });
}

function spawnSupervisor(root: string): void {
  const child = spawn(process.execPath, [join(DEV_FOLDER, 'src', 'supervisor-main.ts'), root], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.on('error', () => {}); // told by the connection that never comes
  child.unref();
}

/** Asks for the services. Resolves with the stack, or with a reason to try again. */
function hold(socket: Socket, options: StackOptions): Promise<Stack | string> {
  const { log = () => {}, services = DEFAULT_SERVICES, durable = true, lingerMs = 0 } = options;
  const modelRepository = resolve(options.modelRepository ?? MODEL_REPOSITORY);
  return new Promise((done, fail) => {
    let closed = () => {};
    const whenClosed = new Promise<void>((resolveClosed) => {
      closed = resolveClosed;
    });
    let isHeld = false;
    const stop = async () => {
      isHeld = false;
      socket.ref();
      sendMessage(socket, { type: 'release', lingerMs });
      await whenClosed;
    };
    onMessages<SupervisorMessage>(socket, (message) => {
      switch (message.type) {
        case 'log':
          return log(message.line);
        case 'service-ended':
          return options.onServiceEnded?.(message.service, message.how, message.restarts);
        case 'failed':
          fail(new StackStartError(message.message));
          return socket.destroy();
        case 'ready':
          // Holding the stack must not keep a finished program alive.
          socket.unref();
          isHeld = true;
          return done({ ...message.endpoints, stop });
        case 'released':
          return undefined;
      }
    });
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => {
      closed();
      if (isHeld) options.onLost?.();
      done('the stack was stopped while it was being joined');
    });
    sendMessage(socket, { type: 'hold', version: PROTOCOL_VERSION, services, durable, modelRepository });
  });
}
