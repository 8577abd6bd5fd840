import { mkdirSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { socketAddress, tryListen, withLock } from '../lock.mjs';
import type { ManagedProcess } from './base/managed-process.ts';
import { MODEL_REPOSITORY } from './base/paths.ts';
import { endProcess, isRunning } from './base/process-identity.ts';
import { StackMemory } from './base/stack-memory.ts';
import { hasLibrary, type LibraryName } from './libraries.ts';
import { preflight } from './preflight.ts';
import {
  CONTROL_PURPOSE,
  onMessages,
  PROTOCOL_VERSION,
  type SupervisorMessage,
  sendMessage,
  type UserMessage,
} from './protocol.ts';
import { ServiceRunner } from './service-runner.ts';
import type { ServiceContext, ServiceName, StackEndpoints } from './services/service.ts';

/** How long the first user may take to ask: the process that started this one may have died before it could. */
const FIRST_USER_TIMEOUT_MS = 30_000;
/** After a crash of the last user the services stay up this long, so that a quick restart finds them warm. */
const CRASH_LINGER_MS = 5_000;
const LEFTOVER_PATIENCE_MS = 20_000;
/** How to end what an earlier supervisor left behind; PostgreSQL's polite signal waits for its clients. */
const LEFTOVER_SIGNALS: Readonly<Partial<Record<string, NodeJS.Signals>>> = { postgres: 'SIGINT' };

/**
 * Owns the services of one stack: starts them when a user asks, stops them when the last user is gone, be it that it
 * stopped or that it died. It is a process of its own because a parent that was killed outright can't clean up after
 * itself.
 *
 * Called by: `supervisor-main.ts`, once a process; users reach it through its socket.
 * Invariants:
 *  I1. One supervisor a data folder: the folder's lock is held from before the first start to after the last stop.
 *  I2. No service of an earlier supervisor runs when the first service is started.
 *  I3. No user, no services: at the latest `lingerMs` after the last user has gone everything is stopped.
 */
export class Supervisor {
  readonly #root: string;
  readonly #log: (line: string) => void;
  readonly #memory: StackMemory;
  readonly #runners = new Map<ServiceName, ServiceRunner>();
  readonly #users = new Set<Socket>();
  readonly #checked = new Set<ServiceName>();
  #server: Server | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #ending: (() => void) | undefined;
  #isDurable = true;
  #modelRepository = MODEL_REPOSITORY;
  #isStopping = false;

  constructor(root: string, log: (line: string) => void) {
    this.#root = root;
    this.#log = log;
    mkdirSync(join(root, 'logs'), { recursive: true });
    this.#memory = new StackMemory(root);
  }

  /** Serves until the last user has gone. Returns false when another supervisor serves this folder already. */
  async serve(): Promise<boolean> {
    const server = await tryListen(socketAddress(this.#root, CONTROL_PURPOSE));
    if (server === undefined) return false;
    this.#server = server;
    const early: Socket[] = [];
    const hold = (socket: Socket) => early.push(socket.pause());
    server.on('connection', hold);
    // A predecessor that is still stopping its services holds the lock until they are down.
    await withLock(this.#root, 'stack services', async () => {
      await this.#endLeftovers();
      const ended = new Promise<void>((done) => {
        this.#ending = done;
      });
      server.off('connection', hold);
      server.on('connection', (socket) => this.#serveUser(socket));
      for (const socket of early) this.#serveUser(socket.resume());
      this.#linger(FIRST_USER_TIMEOUT_MS);
      await ended;
    });
    return true;
  }

  async #endLeftovers(): Promise<void> {
    for (const [service, identity] of Object.entries(this.#memory.noted)) {
      if (isRunning(identity)) {
        this.#log(`ending ${service} (pid ${identity.pid}), left behind by an earlier run`);
        await endProcess(identity, LEFTOVER_SIGNALS[service] ?? 'SIGTERM', LEFTOVER_PATIENCE_MS);
      }
      this.#memory.forget(service);
    }
  }

  #serveUser(socket: Socket): void {
    let holds = false;
    onMessages<UserMessage>(socket, (message) => {
      if (message.type === 'hold') {
        // Too late: a closed connection tells the user to ask our successor.
        if (this.#isStopping) return void socket.end();
        holds = true;
        this.#users.add(socket);
        this.#cancelLinger();
        void this.#hold(socket, message);
      } else if (this.#users.delete(socket)) {
        void this.#release(socket, message.lingerMs);
      }
    });
    socket.on('error', (error) => this.#log(`connection of a user: ${error.message}`));
    socket.once('close', () => {
      if (!this.#users.delete(socket) || !holds) return;
      this.#log('a user went away without a word');
      if (this.#users.size === 0) this.#linger(CRASH_LINGER_MS);
    });
  }

  async #hold(socket: Socket, request: UserMessage & { type: 'hold' }): Promise<void> {
    const tell = (message: SupervisorMessage) => sendMessage(socket, message);
    if (request.version !== PROTOCOL_VERSION) {
      tell({ type: 'failed', message: 'the running stack belongs to another version of this checkout; end it first' });
      return;
    }
    if (this.#runners.size === 0) this.#isDurable = request.durable;
    if (!this.#runners.has('triton')) this.#modelRepository = request.modelRepository;
    try {
      await this.#check(request.services.filter((service) => !this.#checked.has(service)));
      const endpoints = await Promise.all(request.services.map((service) => this.#runner(service).start()));
      tell({ type: 'ready', endpoints: Object.assign({}, ...endpoints) as StackEndpoints });
    } catch (error) {
      this.#log(`a start failed: ${(error as Error).stack}`);
      tell({ type: 'failed', message: (error as Error).message });
    }
  }

  /** Looks whether the machine has what the services need; once for each, since everybody who joins would wait. */
  async #check(services: readonly ServiceName[]): Promise<void> {
    if (services.length === 0) return;
    const libraries = services.filter((service): service is LibraryName =>
      ['kafka', 'registry', 'objects'].includes(service),
    );
    await preflight(services, !libraries.every(hasLibrary), (line) => this.#tellAll(line));
    for (const service of services) this.#checked.add(service);
  }

  #runner(service: ServiceName): ServiceRunner {
    const known = this.#runners.get(service);
    if (known !== undefined) return known;
    const context: ServiceContext = {
      root: this.#root,
      memory: this.#memory,
      durable: this.#isDurable,
      modelRepository: this.#modelRepository,
      log: (line) => this.#tellAll(line),
      note: (process: ManagedProcess) => {
        this.#memory.note(service, process.identity);
        void process.exited.then(() => {
          if (this.#memory.noted[service]?.pid === process.pid) this.#memory.forget(service);
        });
      },
    };
    const runner = new ServiceRunner(service, context, (how, restarts) => {
      this.#log(`${service} ended by itself: ${how}`);
      for (const user of this.#users) sendMessage(user, { type: 'service-ended', service, how, restarts });
    });
    this.#runners.set(service, runner);
    return runner;
  }

  #tellAll(line: string): void {
    this.#log(line);
    for (const user of this.#users) sendMessage(user, { type: 'log', line });
  }

  async #release(socket: Socket, lingerMs: number): Promise<void> {
    const isLast = this.#users.size === 0;
    if (isLast && lingerMs <= 0) await this.stop('the last user has gone');
    else if (isLast) this.#linger(lingerMs);
    sendMessage(socket, { type: 'released', stopped: isLast && lingerMs <= 0 });
    socket.end();
  }

  #linger(ms: number): void {
    this.#cancelLinger();
    this.#lingering = setTimeout(() => void this.stop(`nobody uses the stack any more`), ms);
  }

  #cancelLinger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
  }

  /** Stops all services and lets `serve()` return. */
  async stop(why: string): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#cancelLinger();
    this.#log(`stopping: ${why}`);
    // The name is given up first: whoever comes now starts a new supervisor, which waits for our lock.
    this.#server?.close();
    const results = await Promise.allSettled([...this.#runners.values()].map((runner) => runner.stop()));
    for (const result of results) if (result.status === 'rejected') this.#log(`stopping: ${String(result.reason)}`);
    this.#log('stopped');
    this.#ending?.();
    for (const user of this.#users) user.end();
  }
}
