import { type BinaryKey, binaryKey } from '../base/bytes.ts';
import type { Serde } from '../serde/serde.ts';
import { isReused, saveState } from './reused.ts';

const noBytes = Buffer.alloc(0);

/**
 * A key or a value on its way through a topology: bytes, object, or both, converted only when somebody asks.
 *
 * Owns: nothing; the bytes belong to the fetched batch until {@link Datum.detach}.
 * Called by: source nodes (bytes in), DSL nodes (object in), sinks and stores (bytes out).
 * Invariants: I1 null is neither bytes nor object; I2 bytes and object, when both present, are the same value in `serde`'s format;
 * I3 what `bytes*` returns is valid until the next `set*` of this datum.
 */
export class Datum<T = unknown> {
  /** The serialized form lies at `[start, end)` of it. Valid where `hasBytes`. */
  buffer: Buffer = noBytes;
  start = 0;
  end = 0;
  hasBytes = false;
  hasObject = false;
  isNull = true;
  #object: T | undefined;
  #serde: Serde<T> | undefined;
  #topic = '';
  #binary: BinaryKey | undefined;

  /** Makes it null: no key, or a tombstone. */
  setNull(): void {
    this.isNull = true;
    this.hasBytes = false;
    this.hasObject = false;
    this.#object = undefined;
    this.#binary = undefined;
  }

  /** Bytes `[start, end)` in the format of `serde`, decoded when asked for. */
  setBytes(buffer: Buffer, start: number, end: number, serde: Serde<T>, topic: string): void {
    this.isNull = false;
    this.hasBytes = true;
    this.hasObject = false;
    this.#object = undefined;
    this.#binary = undefined;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.#serde = serde;
    this.#topic = topic;
  }

  /** An object of user code; null and undefined become null. */
  setObject(object: T | null | undefined): void {
    if (object === null || object === undefined) {
      this.setNull();
      return;
    }
    this.isNull = false;
    this.hasBytes = false;
    this.hasObject = true;
    this.#object = object;
    this.#serde = undefined;
    this.#binary = undefined;
  }

  /** The object, decoded on first use. Null datums answer null (typed as T, as in Kafka Streams, where any value may be null). */
  get(): T {
    if (this.hasObject) return this.#object as T;
    if (this.isNull) return null as T;
    const object = (this.#serde as Serde<T>).deserialize(this.buffer, this.start, this.end, this.#topic);
    this.#object = object;
    this.hasObject = true;
    return object;
  }

  /** Whether the bytes at hand are what `serde` would write. */
  hasBytesOf(serde: Serde<T>): boolean {
    return this.hasBytes && (this.#serde === serde || this.#serde?.format === serde.format);
  }

  /** Makes `buffer`/`start`/`end` the bytes of this (non-null) datum in the format of `serde`. */
  encode(serde: Serde<T>, topic: string): void {
    if (this.hasBytesOf(serde)) return;
    const bytes = serde.serialize(this.get(), topic);
    this.buffer = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.hasBytes = true;
    this.#serde = serde;
    this.#topic = topic;
    this.#binary = undefined;
  }

  /**
   * {@link encode} for keys, which are compared by their bytes: those that somebody else wrote in another form are written anew, as
   * Kafka Streams does with all.
   */
  encodeKey(serde: Serde<T>, topic: string): void {
    if (serde.isOwnForm !== undefined && this.hasBytesOf(serde)) {
      if (serde.isOwnForm(this.buffer, this.start, this.end, topic)) return;
      this.get();
      this.hasBytes = false;
    }
    this.encode(serde, topic);
  }

  /** The serialized form as a store key; computed once per record. */
  binary(serde: Serde<T>, topic: string): BinaryKey {
    if (this.#binary !== undefined && this.hasBytesOf(serde)) return this.#binary;
    this.encodeKey(serde, topic);
    this.#binary = binaryKey(this.buffer, this.start, this.end);
    return this.#binary;
  }

  /** The serialized form in a buffer of its own, for whoever keeps it. */
  copyBytes(serde: Serde<T>, topic: string): Buffer {
    if (!this.hasBytesOf(serde)) return serde.serialize(this.get(), topic);
    return Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
  }

  /** {@link copyBytes} for keys: see {@link encodeKey}. */
  copyKeyBytes(serde: Serde<T>, topic: string): Buffer {
    this.encodeKey(serde, topic);
    return Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
  }

  /** @internal Copies the bytes: they may lie in a buffer that is used again. */
  [saveState](): () => void {
    const copy = this.detach();
    const object = copy.#object;
    const restoreObject = isReused(object) ? object[saveState]() : undefined;
    return () => {
      this.buffer = copy.buffer;
      this.start = copy.start;
      this.end = copy.end;
      this.hasBytes = copy.hasBytes;
      this.hasObject = copy.hasObject;
      this.isNull = copy.isNull;
      this.#object = copy.#object;
      this.#serde = copy.#serde;
      this.#topic = copy.#topic;
      this.#binary = undefined;
      restoreObject?.();
    };
  }

  /** A datum that owns its bytes, for boundaries that outlive the record. */
  detach(): Datum<T> {
    const copy = new Datum<T>();
    if (this.isNull) return copy;
    copy.isNull = false;
    copy.hasObject = this.hasObject;
    copy.#object = this.#object;
    copy.#serde = this.#serde;
    copy.#topic = this.#topic;
    if (this.hasBytes) {
      copy.buffer = Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
      copy.end = copy.buffer.length;
      copy.hasBytes = true;
    }
    return copy;
  }
}
