import type { RecordBatch } from '../base/record-batch.ts';

/**
 * How a type becomes bytes and back. Null never reaches a serde: the engine writes null keys and values itself.
 *
 * Two serdes with the same `format` write the same bytes for the same value, whatever else they do (a serde that
 * checks what it reads has a format of its own); the engine then copies bytes from source to sink instead of decoding and
 * encoding.
 * @example
 * ```ts
 * // Whole cents as text.
 * const cents: Serde<number> = {
 *   format: 'cents',
 *   serialize: (value) => Buffer.from(value.toFixed(0)),
 *   deserialize(buffer, start, end, topic) {
 *     const text = buffer.toString('latin1', start, end);
 *     if (/^\d+$/.test(text)) return Number(text);
 *     throw new DeserializationError(`Topic ${topic}: '${text}' is no amount`);
 *   },
 * };
 * ```
 */
export interface Serde<T> {
  /** Names what the bytes look like, parameters included: `avro(<fingerprint> <registry>)`, `time-windowed(string)`. */
  readonly format: string;
  /**
   * The bytes of a value; the buffer belongs to the caller. `topic` is the one that they are for. Throws {@link
   * SerializationError}.
   */
  serialize(value: T, topic: string): Buffer;
  /** Decodes bytes `[start, end)`. Throws {@link DeserializationError}. The result may not alias `buffer`, which is reused. */
  deserialize(buffer: Buffer, start: number, end: number, topic: string): T;
  /**
   * Fast path: writes the bytes at `position` and returns the position after them, or -1 when `buffer` is too short.
   * Must write the same bytes as `serialize`.
   */
  serializeInto?(value: T, buffer: Buffer, position: number, topic: string): number;
  /**
   * Whether bytes in this serde's format, written by whomever, are those that it would write itself for `topic`. Keys are compared and
   * state is kept by bytes: where a format has several forms of one value (Avro by schema id, JSON by blanks, UUIDs by case), one form
   * must be chosen, and what can't be read must be noticed before it is kept.
   *
   * `true`: they are, for every topic, and can be read. `undefined`: they are if they can be read, which the engine then tries. `false`: they may not be;
   * the engine reads them and writes them anew. A serde without this method is asked to read and write everything that is compared
   * or kept, as Kafka Streams does with all serdes.
   */
  isOwnForm?(buffer: Buffer, start: number, end: number, topic: string): boolean | undefined;
  /**
   * Whether a sink may write these bytes of a value, in this serde's format, as they came. It is asked for every record, so it must be
   * cheap. Absent: it may, unread.
   */
  mayPass?(buffer: Buffer, start: number, end: number, topic: string): boolean;
  /**
   * Whether these bytes read as null (JSON's `null`, the null of an Avro union): then the key or value *is* null, and a table takes a
   * deletion. Asked for every record of a source, so it must be cheap. Absent: no bytes do.
   */
  readsAsNull?(buffer: Buffer, start: number, end: number, topic: string): boolean;
  /** Before first use on a topic, e.g. to register a schema. Rejects when the registry refuses the schema. */
  configure?(use: SerdeUse): Promise<void>;
  /**
   * Makes `deserialize` possible for every record of a batch without I/O, e.g. fetches unknown writer schemas. Returns
   * undefined when nothing is missing (the usual case, checked synchronously). Rejects with a retriable error while the
   * registry is out of reach; a schema id that the registry doesn't know is no rejection: `deserialize` throws for it.
   */
  prepare?(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined;
}

/** Where a serde is about to be used. */
export interface SerdeUse {
  /** Complete name of the topic; of a store, its changelog. */
  readonly topic: string;
  /** Whether it is for the topic's keys (`key`) or values (`value`). */
  readonly side: 'key' | 'value';
  /** It will decode what lies in the topic. */
  readonly reads: boolean;
  /** It will encode what goes to the topic. */
  readonly writes: boolean;
}

/** The type that a serde carries. */
export type SerdeType<S> = S extends Serde<infer T> ? T : never;
