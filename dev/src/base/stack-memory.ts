import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort, isPortFree } from './ports.ts';
import type { ProcessIdentity } from './process-identity.ts';

interface Memory {
  ports: Record<string, number>;
  secrets: Record<string, string>;
  /** Processes that were started and, as far as is known, not yet ended. */
  running: Record<string, ProcessIdentity>;
}

/** Bytes of a generated password; 144 bits. */
const SECRET_BYTES = 18;

/**
 * Owns `stack.json` in a stack's data folder: what must stay the same over restarts (ports, because Kafka
 * advertises them and stores them with its data; passwords) and which processes were started there.
 *
 * Called by: the supervisor only.
 * Invariants:
 *  I1. The file on disk is replaced whole, never half written.
 *  I2. A port once given to a name is given again, unless a stranger listens on it.
 */
export class StackMemory {
  readonly #path: string;
  readonly #memory: Memory;

  constructor(root: string) {
    mkdirSync(root, { recursive: true });
    this.#path = join(root, 'stack.json');
    const stored: Partial<Memory> = existsSync(this.#path) ? JSON.parse(readFileSync(this.#path, 'utf8')) : {};
    this.#memory = { ports: stored.ports ?? {}, secrets: stored.secrets ?? {}, running: stored.running ?? {} };
  }

  /** The remembered port of a name, or a new one. Tells through `log` when a stranger forced a change. */
  async port(name: string, log: (line: string) => void): Promise<number> {
    const remembered = this.#memory.ports[name];
    if (remembered !== undefined) {
      if (await isPortFree(remembered)) return remembered;
      const port = await this.#newPort(name);
      log(`port ${remembered} of ${name} is taken by another program; ${name} moves to ${port}`);
      return port;
    }
    return this.#newPort(name);
  }

  async #newPort(name: string): Promise<number> {
    // Reserved before the next await of anybody else: two services that start together must not draw the same.
    for (;;) {
      const port = await findFreePort(new Set(Object.values(this.#memory.ports)));
      if (Object.values(this.#memory.ports).includes(port)) continue;
      this.#memory.ports[name] = port;
      this.#save();
      return port;
    }
  }

  /** A password that is made once and kept. */
  secret(name: string): string {
    const known = this.#memory.secrets[name];
    if (known !== undefined) return known;
    const made = randomBytes(SECRET_BYTES).toString('base64url').replaceAll(/[-_]/g, 'x');
    this.#memory.secrets[name] = made;
    this.#save();
    return made;
  }

  /** Processes noted by an earlier supervisor; whether they still run is for the caller to find out. */
  get noted(): Readonly<Record<string, ProcessIdentity>> {
    return this.#memory.running;
  }

  note(service: string, identity: ProcessIdentity): void {
    this.#memory.running[service] = identity;
    this.#save();
  }

  forget(service: string): void {
    if (!(service in this.#memory.running)) return;
    delete this.#memory.running[service];
    this.#save();
  }

  #save(): void {
    const temporary = `${this.#path}.tmp`;
    writeFileSync(temporary, `${JSON.stringify(this.#memory, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}
