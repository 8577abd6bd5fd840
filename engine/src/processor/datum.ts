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
  /** Where the bytes begin in `buffer`. */
  start = 0;
  /** Where they end, exclusive. */
  end = 0;
  /** Whether a serialized form is at hand. Read it before `buffer`; only the datum itself sets it. */
  hasBytes = false;
  /** Whether the object is at hand, so that {@link Datum.get} decodes nothing. */
  hasObject = false;
  /** No key, or a deletion. Bytes that a serde reads as null show it only once somebody has decoded them. */
  isNull = true;
  #object: T | undefined;
  #serde: Serde<T> | undefined;
  #topic = '';
  #binary: BinaryKey | undefined;
  /** The topic for which the bytes are known to be those that `#serde` writes; true: for every topic; undefined: nobody has looked. */
  #ownFor: string | true | undefined;

  /** Makes it null: no key, or a tombstone. */
  setNull(): void {
    this.isNull = true;
    this.hasBytes = false;
    this.hasObject = false;
    this.#object = undefined;
    this.#binary = undefined;
  }

  /**
   * Bytes `[start, end)` in the format of `serde`, decoded when asked for. `own`: this program wrote them for `topic`, so nobody needs
   * to look whether they can be read.
   */
  setBytes(buffer: Buffer, start: number, end: number, serde: Serde<T>, topic: string, own = false): void {
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
    this.#ownFor = own ? topic : undefined;
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
    this.#ownFor = undefined;
  }

  /**
   * The object, decoded on first use. Null datums answer null (typed as T, as in Kafka Streams, where any value may be null); so do
   * bytes that a serde reads as null, and the datum is null from then on.
   */
  get(): T {
    if (this.hasObject) return this.#object as T;
    if (this.isNull) return null as T;
    const object = (this.#serde as Serde<T>).deserialize(this.buffer, this.start, this.end, this.#topic);
    if (object === null || object === undefined) {
      this.setNull();
      return null as T;
    }
    this.#object = object;
    this.hasObject = true;
    return object;
  }

  #isOwnFor(topic: string): boolean {
    return this.#ownFor === topic || this.#ownFor === true;
  }

  /** The bytes at hand are in the format of `serde`, whoever wrote them. */
  #hasFormatOf(serde: Serde<T>): boolean {
    return this.hasBytes && (this.#serde === serde || this.#serde?.format === serde.format);
  }

  /**
   * Whether a sink may write the bytes at hand as they came: they are in the format of `serde`, and not known to be in another form
   * than it would write for `topic`. They may still be unreadable: nobody has looked.
   */
  mayPass(serde: Serde<T>, topic: string): boolean {
    if (!this.#hasFormatOf(serde)) return false;
    return (
      serde.mayPass === undefined || this.#isOwnFor(topic) || serde.mayPass(this.buffer, this.start, this.end, topic)
    );
  }

  /**
   * Makes `buffer`/`start`/`end` the bytes that `serde` writes for `topic`, whoever wrote those at hand: what is kept or compared by its
   * bytes must be readable, and equal where it means the same. Throws {@link DeserializationError} for what can't be read. What reads
   * as null leaves a null datum.
   */
  encode(serde: Serde<T>, topic: string): void {
    if (this.#hasFormatOf(serde)) {
      if (this.#isOwnFor(topic)) return;
      const own = serde.isOwnForm === undefined ? false : serde.isOwnForm(this.buffer, this.start, this.end, topic);
      if (own !== true) this.get();
      if (this.isNull) return;
      if (own !== false) {
        this.#ownFor = own ?? topic;
        return;
      }
    }
    const object = this.get();
    if (this.isNull) return;
    const bytes = serde.serialize(object, topic);
    this.buffer = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.hasBytes = true;
    this.#serde = serde;
    this.#topic = topic;
    this.#ownFor = topic;
    this.#binary = undefined;
  }

  /** The serialized form as a store key; computed once per record and topic. */
  binary(serde: Serde<T>, topic: string): BinaryKey {
    if (this.#binary !== undefined && this.#isOwnFor(topic) && this.#hasFormatOf(serde)) return this.#binary;
    this.encode(serde, topic);
    this.#binary = binaryKey(this.buffer, this.start, this.end);
    return this.#binary;
  }

  /**
   * What {@link encode} makes, in a buffer of its own, for whoever keeps it; null for a null datum. Objects are not replaced by their
   * bytes here: whoever made one may change it and forward it again.
   */
  copyBytes(serde: Serde<T>, topic: string): Buffer | null {
    if (!this.hasBytes) return this.isNull ? null : serde.serialize(this.get(), topic);
    this.encode(serde, topic);
    return this.isNull ? null : Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
  }

  /** A copy of what a sink writes: the bytes at hand where they may pass as they came, else the object's. Null for a null datum. */
  passBytes(serde: Serde<T>, topic: string): Buffer | null {
    if (this.mayPass(serde, topic)) return Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
    const object = this.get();
    return this.isNull ? null : serde.serialize(object, topic);
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
      this.#ownFor = copy.#ownFor;
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
    copy.#ownFor = this.#ownFor;
    if (this.hasBytes) {
      copy.buffer = Buffer.copyBytesFrom(this.buffer, this.start, this.end - this.start);
      copy.end = copy.buffer.length;
      copy.hasBytes = true;
    }
    return copy;
  }
}
