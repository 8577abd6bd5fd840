/** Buffers kept for reuse per pool: about what the in-flight requests of a few partitions need. */
const POOLED_BUFFERS_MAX = 64;

/**
 * Buffers of one size, handed out again after use, so that the record path makes no garbage.
 *
 * Owns: the buffers that nobody uses. Called by: record batch writers, fetch connections.
 * Invariants: I1 a buffer is either pooled or with exactly one holder; I2 at most `keptMax` are pooled.
 */
export class BufferPool {
  /** Size of a pooled buffer. */
  readonly bufferBytes: number;
  readonly #keptMax: number;
  readonly #free: Buffer[] = [];

  /** `bufferBytes`: size of a pooled buffer; larger requests are served with buffers of their own. */
  constructor(bufferBytes: number, keptMax = POOLED_BUFFERS_MAX) {
    this.bufferBytes = bufferBytes;
    this.#keptMax = keptMax;
  }

  /** A buffer of at least `sizeBytes`; its content is undefined. */
  acquire(sizeBytes = this.bufferBytes): Buffer {
    if (sizeBytes > this.bufferBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
  }

  /** Gives a buffer back; oversized ones are left to the collector. The caller may not touch it afterwards. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.bufferBytes && this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}

/**
 * A buffer that several batches look into; it goes back to its pool with the last of them.
 *
 * Owns: one buffer and its count of holders. Called by: the fetch path.
 * Invariants: I1 given back once, when the count falls to zero.
 */
export class SharedBuffer {
  /** Valid as long as the caller is one of the holders. */
  readonly buffer: Buffer;
  readonly #pool: BufferPool | undefined;
  #holders = 1;

  /** The caller is the first holder. Without a pool the buffer is left to the garbage collector. */
  constructor(buffer: Buffer, pool?: BufferPool) {
    this.buffer = buffer;
    this.#pool = pool;
  }

  /** One more holder. */
  retain(): void {
    this.#holders += 1;
  }

  /** One holder less; the caller may not touch the buffer afterwards. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#pool?.giveBack(this.buffer);
  }
}
