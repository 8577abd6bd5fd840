import { randomUUID } from 'node:crypto';

/** The only source of randomness in the engine: jitter, client ids, process ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  uuid(): string;
}

export const systemRandom: Random = { next: () => Math.random(), uuid: () => randomUUID() };
