import { BrokerError } from '../../../base/errors.ts';
import { BufferPool, SharedBuffer } from '../../buffer-pool.ts';
import { NO_ANSWER } from '../../kafka-errors.ts';

/** What one read of the kernel brings between large answers. */
const SCRATCH_BYTES = 64 * 1024;
/** Answers up to this size get a small buffer of their own instead of a pooled one. */
const SMALL_FRAME_BYTES_MAX = 16 * 1024;
/** Pooled answer buffers come in powers of two between these sizes. */
const POOLED_BYTES_MIN = 64 * 1024;
const POOLED_BYTES_MAX = 16 * 1024 * 1024;
/** Buffers kept per size: one read, one processed, one in flight, and one spare. */
const POOLED_PER_SIZE = 4;
/** A longer answer is no Kafka answer: somebody else listens on that port, or the stream is out of step. */
const FRAME_BYTES_MAX = 512 * 1024 * 1024;
const SIZE_BYTES = 4;

/** Buffers for answers, shared by the connections of a broker object. */
export class ResponseBuffers {
  readonly #pools = new Map<number, BufferPool>();

  /** A buffer of at least `sizeBytes` with the caller as its holder; its content is undefined. */
  acquire(sizeBytes: number): SharedBuffer {
    if (sizeBytes <= SMALL_FRAME_BYTES_MAX || sizeBytes > POOLED_BYTES_MAX) {
      return new SharedBuffer(Buffer.allocUnsafeSlow(sizeBytes));
    }
    let pooledBytes = POOLED_BYTES_MIN;
    while (pooledBytes < sizeBytes) pooledBytes *= 2;
    let pool = this.#pools.get(pooledBytes);
    if (pool === undefined) {
      pool = new BufferPool(pooledBytes, POOLED_PER_SIZE);
      this.#pools.set(pooledBytes, pool);
    }
    return new SharedBuffer(pool.acquire(), pool);
  }
}

/**
 * Cuts a byte stream into length-prefixed answers. The kernel writes large answers straight into their final buffer: the caller
 * asks {@link nextBuffer} where the next bytes go and reports their number to {@link received}.
 *
 * Owns: the scratch buffer and the answer being read. Called by: {@link SocketConnection}.
 * Invariants: I1 every byte lies in the scratch buffer or in the answer it belongs to; I2 an answer is passed on once, whole;
 * whoever gets it releases it.
 */
export class FrameReader {
  readonly #buffers: ResponseBuffers;
  readonly #onFrame: (frame: SharedBuffer, sizeBytes: number) => void;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #scratchFilled = 0;
  #frame: SharedBuffer | undefined;
  #frameFilled = 0;
  #frameBytes = 0;

  /** `onFrame` gets each answer and its size; the answer's buffer may be larger. */
  constructor(buffers: ResponseBuffers, onFrame: (frame: SharedBuffer, sizeBytes: number) => void) {
    this.#buffers = buffers;
    this.#onFrame = onFrame;
  }

  /** Where the next bytes of the stream go. */
  nextBuffer(): Buffer {
    if (this.#frame !== undefined) return this.#frame.buffer.subarray(this.#frameFilled, this.#frameBytes);
    return this.#scratchFilled === 0 ? this.#scratch : this.#scratch.subarray(this.#scratchFilled);
  }

  /** `count` bytes were written into the last {@link nextBuffer}. */
  received(count: number): void {
    if (this.#frame === undefined) {
      this.#scratchFilled += count;
      this.#parseScratch();
      return;
    }
    this.#frameFilled += count;
    if (this.#frameFilled === this.#frameBytes) this.#passOn(this.#frame, this.#frameBytes);
  }

  /** For streams that bring buffers of their own (TLS). */
  receivedChunk(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.nextBuffer(), 0, at);
      at += copied;
      this.received(copied);
    }
  }

  #passOn(frame: SharedBuffer, sizeBytes: number): void {
    this.#frame = undefined;
    this.#onFrame(frame, sizeBytes);
  }

  #parseScratch(): void {
    let at = 0;
    while (this.#scratchFilled - at >= SIZE_BYTES) {
      const sizeBytes = this.#scratch.readInt32BE(at);
      if (sizeBytes <= 0 || sizeBytes > FRAME_BYTES_MAX) {
        throw new BrokerError(`An answer of ${sizeBytes} bytes is no answer of a Kafka broker`, {
          kafkaCode: NO_ANSWER,
          retriable: true,
        });
      }
      at += SIZE_BYTES;
      const frame = this.#buffers.acquire(sizeBytes);
      const available = Math.min(this.#scratchFilled - at, sizeBytes);
      this.#scratch.copy(frame.buffer, 0, at, at + available);
      at += available;
      if (available < sizeBytes) {
        this.#frame = frame;
        this.#frameFilled = available;
        this.#frameBytes = sizeBytes;
        break;
      }
      this.#onFrame(frame, sizeBytes);
    }
    this.#scratch.copyWithin(0, at, this.#scratchFilled);
    this.#scratchFilled -= at;
  }
}
