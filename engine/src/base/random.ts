import { randomUUID } from 'node:crypto';

/** The only source of randomness in the engine: jitter, client ids, process ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A random UUID (version 4) as text. */
  uuid(): string;
}

/** `Math.random` and the UUIDs of `node:crypto`. Not for secrets. */
export const systemRandom: Random = { next: () => Math.random(), uuid: () => randomUUID() };
