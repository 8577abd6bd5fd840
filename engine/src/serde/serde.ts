import type { RecordBatch } from '../base/record-batch.ts';

/**
 * How a type becomes bytes and back. Null never reaches a serde: the engine writes null keys and values itself.
 *
 * Two serdes with the same `format` write the same bytes for the same value; the engine then copies bytes from source
 * to sink instead of decoding and encoding.
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
   * Whether bytes that this serde can read, written by whomever, are those that it would write itself for `topic`: where a format has
   * several forms of one value (Avro, by schema id), equal keys must get one form before they are compared. Absent: always.
   */
  isOwnForm?(buffer: Buffer, start: number, end: number, topic: string): boolean;
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
