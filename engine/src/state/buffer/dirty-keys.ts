import type { BinaryKey } from '../../base/bytes.ts';

/** Java's `HashSet` starts with 16 buckets and doubles when it is more than three quarters full; clearing keeps the buckets. */
const INITIAL_BUCKETS = 16;
const LOAD_FACTOR = 0.75;

/**
 * Keys that changed since the last commit, handed out in the order of a Java `HashSet<Bytes>`: Kafka Streams writes a buffer's
 * changelog in that order.
 *
 * Owns: the keys. Called by: the buffer, at each change and each commit.
 * Invariants: I1 each key is handed out once; I2 keys of one bucket keep the order in which they came.
 */
export class DirtyKeys {
  readonly #keys = new Set<BinaryKey>();
  #buckets = INITIAL_BUCKETS;

  /** Keys that `drain` would hand out. */
  get size(): number {
    return this.#keys.size;
  }

  /** Notes a change of the key; further changes before the next commit make no difference. */
  add(key: BinaryKey): void {
    this.#keys.add(key);
    while (this.#keys.size > this.#buckets * LOAD_FACTOR) this.#buckets *= 2;
  }

  /** All keys; there are none afterwards. */
  drain(): readonly BinaryKey[] {
    const mask = this.#buckets - 1;
    const ordered = [...this.#keys]
      .map((key) => ({ key, bucket: spread(bytesHash(key)) & mask }))
      .sort((a, b) => a.bucket - b.bucket);
    this.#keys.clear();
    return ordered.map(({ key }) => key);
  }

  /** Forgets the keys without handing them out; the number of buckets stays, as in Java. */
  clear(): void {
    this.#keys.clear();
  }
}

/** `Arrays.hashCode(byte[])` */
function bytesHash(key: BinaryKey): number {
  let hash = 1;
  for (let i = 0; i < key.length; i += 1) {
    const byte = key.charCodeAt(i);
    hash = (Math.imul(31, hash) + (byte < 128 ? byte : byte - 256)) | 0;
  }
  return hash;
}

function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}
