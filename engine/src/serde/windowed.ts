import type { RecordBatch } from '../base/record-batch.ts';
import { unreadable, unwritable } from './primitives.ts';
import type { Serde, SerdeUse } from './serde.ts';

/** A time span in epoch ms. The end is exclusive for time windows, inclusive for session and sliding windows, as in Kafka Streams. */
export interface Window {
  /** First moment of the window, epoch ms, inclusive. */
  readonly startMs: number;
  /** End of the window, epoch ms. */
  readonly endMs: number;
}

/** A key together with the window that its value belongs to (Java's `Windowed`). */
export interface Windowed<K> {
  /** The key of the records in the window. */
  readonly key: K;
  /** The time that the value is about. */
  readonly window: Window;
}

/** End of unlimited windows: the highest time that a number holds exactly, in ms. */
export const ENDLESS_MS = Number.MAX_SAFE_INTEGER;

/** End of a window of this size, epoch ms; at most {@link ENDLESS_MS}. */
export function windowEndMs(startMs: number, sizeMs: number): number {
  return Math.min(startMs + sizeMs, ENDLESS_MS);
}

const TIME_BYTES = 8;
const TWO_TO_THE32 = 4_294_967_296;

function readTime(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_TO_THE32 + buffer.readUInt32BE(position + 4);
}

function writeTime(buffer: Buffer, position: number, timeMs: number): void {
  const high = Math.floor(timeMs / TWO_TO_THE32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(timeMs - high * TWO_TO_THE32, position + 4);
}

/** What both windowed serdes share: the inner key's bytes, then a fixed number of times. */
abstract class WindowedKeySerde<K> implements Serde<Windowed<K>> {
  abstract readonly format: string;
  protected readonly inner: Serde<K>;
  readonly #suffixBytes: number;

  constructor(inner: Serde<K>, suffixBytes: number) {
    this.inner = inner;
    this.#suffixBytes = suffixBytes;
  }

  protected abstract readWindow(buffer: Buffer, position: number): Window;
  protected abstract writeWindow(window: Window, buffer: Buffer, position: number): void;

  serialize(value: Windowed<K>, topic: string): Buffer {
    this.#check(value, topic);
    const key = this.inner.serialize(value.key, topic);
    const bytes = Buffer.allocUnsafe(key.length + this.#suffixBytes);
    bytes.set(key);
    this.writeWindow(value.window, bytes, key.length);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): Windowed<K> {
    const keyEnd = end - this.#suffixBytes;
    if (keyEnd < start) throw unreadable(this.format, topic, `${end - start} bytes are too few`);
    return { key: this.inner.deserialize(buffer, start, keyEnd, topic), window: this.readWindow(buffer, keyEnd) };
  }

  /** As the inner key is. */
  isOwnForm(buffer: Buffer, start: number, end: number, topic: string): boolean | undefined {
    const keyEnd = end - this.#suffixBytes;
    if (keyEnd < start || this.inner.isOwnForm === undefined) return false;
    return this.inner.isOwnForm(buffer, start, keyEnd, topic);
  }

  serializeInto(value: Windowed<K>, buffer: Buffer, position: number, topic: string): number {
    this.#check(value, topic);
    if (this.inner.serializeInto === undefined) {
      const key = this.inner.serialize(value.key, topic);
      const keyEnd = position + key.length;
      if (keyEnd + this.#suffixBytes > buffer.length) return -1;
      buffer.set(key, position);
      this.writeWindow(value.window, buffer, keyEnd);
      return keyEnd + this.#suffixBytes;
    }
    const keyEnd = this.inner.serializeInto(value.key, buffer, position, topic);
    if (keyEnd === -1 || keyEnd + this.#suffixBytes > buffer.length) return -1;
    this.writeWindow(value.window, buffer, keyEnd);
    return keyEnd + this.#suffixBytes;
  }

  async configure(use: SerdeUse): Promise<void> {
    await this.inner.configure?.(use);
  }

  prepare(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined {
    return this.inner.prepare?.(batch, side);
  }

  #check(value: Windowed<K>, topic: string): void {
    const window = value?.window;
    if (!Number.isSafeInteger(window?.startMs) || window.startMs < 0) {
      throw unwritable(this.format, topic, 'the window has no start in epoch ms');
    }
  }
}

class TimeWindowedSerde<K> extends WindowedKeySerde<K> {
  readonly format: string;
  readonly #windowSizeMs: number;

  constructor(inner: Serde<K>, windowSizeMs: number) {
    super(inner, TIME_BYTES);
    this.format = `time-windowed(${inner.format})`;
    this.#windowSizeMs = windowSizeMs;
  }

  protected readWindow(buffer: Buffer, position: number): Window {
    const startMs = readTime(buffer, position);
    return { startMs, endMs: windowEndMs(startMs, this.#windowSizeMs) };
  }

  protected writeWindow(window: Window, buffer: Buffer, position: number): void {
    writeTime(buffer, position, window.startMs);
  }
}

class SessionWindowedSerde<K> extends WindowedKeySerde<K> {
  readonly format: string;

  constructor(inner: Serde<K>) {
    super(inner, 2 * TIME_BYTES);
    this.format = `session-windowed(${inner.format})`;
  }

  protected readWindow(buffer: Buffer, position: number): Window {
    return { startMs: readTime(buffer, position + TIME_BYTES), endMs: readTime(buffer, position) };
  }

  protected writeWindow(window: Window, buffer: Buffer, position: number): void {
    writeTime(buffer, position, window.endMs);
    writeTime(buffer, position + TIME_BYTES, window.startMs);
  }
}

/**
 * Keys of time windows as Java's `TimeWindowedSerializer` writes them: key, then the start as 8 bytes big-endian. The
 * size isn't in the bytes, so reading needs it, in ms.
 * @example
 * ```ts
 * builder
 *   .stream('changes-per-minute', { key: windowed(string(), minuteMs), value: long() })
 *   .foreach((key, count) => console.log(key.key, new Date(key.window.startMs), count));
 * ```
 */
export function windowed<K>(inner: Serde<K>, windowSizeMs: number): Serde<Windowed<K>> {
  return new TimeWindowedSerde(inner, windowSizeMs);
}

/** Keys of session windows as Java's `SessionWindowedSerializer` writes them: key, end, start. */
export function sessionWindowed<K>(inner: Serde<K>): Serde<Windowed<K>> {
  return new SessionWindowedSerde(inner);
}
