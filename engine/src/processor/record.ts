import { StreamsError } from '../base/errors.ts';
import type { Header } from '../base/record-batch.ts';
import { Datum } from './datum.ts';
import { Headers } from './headers.ts';
import { saveState } from './reused.ts';

/**
 * A record inside a topology. Records that a processor receives are views, reused for the next record: keep one with
 * {@link Record.detach}, or take what you need out of it. Records made by `new Record(...)` and the `with…` methods are
 * independent, with headers of their own, as in Kafka Streams, and so is what the DSL's operations forward; children that get the same
 * record share its headers.
 *
 * Owns: timestamp and headers; key and value are {@link Datum}s that nodes share when they don't change them.
 */
export class Record<K, V> {
  /** Event time, epoch ms, never negative. */
  timestamp: number;
  /** @internal */
  keyDatum: Datum<K>;
  /** @internal */
  valueDatum: Datum<V>;
  #headers: Headers | undefined;
  #headerSource: HeaderSource | undefined;

  /**
   * Headers are copied. Throws `INVALID_TIMESTAMP` for a negative time and for what is no number; fractions of a
   * millisecond are cut off.
   */
  constructor(key: K, value: V, timestamp: number, headers?: Headers) {
    this.keyDatum = new Datum<K>();
    this.keyDatum.setObject(key);
    this.valueDatum = new Datum<V>();
    this.valueDatum.setObject(value);
    this.timestamp = wholeMs(timestamp);
    this.#headers = headers?.copy();
  }

  /**
   * The key, decoded on first use; null where the record has none. Throws `DESERIALIZATION` for bytes that its serde
   * can't decode.
   */
  get key(): K {
    return this.keyDatum.get();
  }

  /**
   * The value, decoded on first use; null for a tombstone. Throws `DESERIALIZATION` for bytes that its serde can't
   * decode.
   */
  get value(): V {
    return this.valueDatum.get();
  }

  /** The headers, parsed on first use. Changes reach whoever else holds this record. */
  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = this.#headerSource?.readHeaders() ?? new Headers();
      this.#headerSource = undefined;
    }
    return this.#headers;
  }

  /** False when there are none, without making an object. */
  get hasHeaders(): boolean {
    return this.#headers === undefined ? this.#headerSource !== undefined : this.#headers.size > 0;
  }

  /** An independent record with another key. */
  withKey<NK>(key: NK): Record<NK, V> {
    const record = new Record<NK, V>(key, undefined as V, this.timestamp, this.hasHeaders ? this.headers : undefined);
    record.valueDatum = this.valueDatum.detach();
    return record;
  }

  /** An independent record with another value. */
  withValue<NV>(value: NV): Record<K, NV> {
    const record = new Record<K, NV>(undefined as K, value, this.timestamp, this.hasHeaders ? this.headers : undefined);
    record.keyDatum = this.keyDatum.detach();
    return record;
  }

  /** An independent record with another time. Throws `INVALID_TIMESTAMP` as the constructor does. */
  withTimestamp(timestamp: number): Record<K, V> {
    const record = this.detach();
    record.timestamp = wholeMs(timestamp);
    return record;
  }

  /** An independent record with a copy of these headers instead of its own. */
  withHeaders(headers: Headers): Record<K, V> {
    const record = this.detach();
    record.#headers = headers.copy();
    return record;
  }

  /** An independent copy, which stays valid when the next record is processed. */
  detach(): Record<K, V> {
    const record = new Record<K, V>(
      undefined as K,
      undefined as V,
      this.timestamp,
      this.hasHeaders ? this.headers : undefined,
    );
    record.keyDatum = this.keyDatum.detach();
    record.valueDatum = this.valueDatum.detach();
    return record;
  }

  /** @internal Turns this record into a view of the next one of a batch. */
  resetHeaders(source: HeaderSource | undefined): void {
    this.#headers = undefined;
    this.#headerSource = source;
  }

  /** @internal For nodes' reused output records: everything of `source`, sharing its datums, with headers of their own. */
  inheritFrom(source: Record<K, V>): void {
    this.keyDatum = source.keyDatum;
    this.valueDatum = source.valueDatum;
    this.timestamp = source.timestamp;
    this.inheritHeaders(source);
  }

  /** @internal */
  [saveState](): () => void {
    const { keyDatum, valueDatum, timestamp } = this;
    const headers = this.#headers;
    const headerSource = this.#headerSource;
    const restoreKey = keyDatum[saveState]();
    const restoreValue = valueDatum[saveState]();
    return () => {
      this.keyDatum = keyDatum;
      this.valueDatum = valueDatum;
      this.timestamp = timestamp;
      this.#headers = headers;
      this.#headerSource = headerSource;
      restoreKey();
      restoreValue();
    };
  }

  /** @internal Headers that were kept; shared, not copied. */
  useHeaders(headers: Headers | undefined): void {
    this.#headers = headers;
    this.#headerSource = undefined;
  }

  /**
   * @internal Takes the headers of `source`, copied when somebody asks for them: what is done to this record's shows nowhere else. While
   * `source` is forwarded nobody changes its own.
   */
  inheritHeaders(source: Record<unknown, unknown>): void {
    this.#headers = undefined;
    this.#headerSource = source.hasHeaders ? source : undefined;
  }

  /** @internal HeaderSource of records that inherit from this one. */
  readHeaders(): Headers {
    return this.headers.copy();
  }

  /** @internal The headers for reading only, without a copy; undefined when there are none. */
  headerEntries(): readonly Header[] | undefined {
    if (this.#headers !== undefined) return this.#headers.size > 0 ? this.#headers.toArray() : undefined;
    const source = this.#headerSource;
    if (source === undefined) return undefined;
    return source instanceof Record ? source.headerEntries() : this.headers.toArray();
  }
}

/** Where a record's headers come from: the batch cursor of a view, or the record that it was made from. */
export interface HeaderSource {
  /** Headers that belong to whoever asks. */
  readHeaders(): Headers;
}

/** Anything else would be written as another time. */
function wholeMs(timestamp: number): number {
  if (timestamp >= 0) return Math.floor(timestamp);
  throw new StreamsError(`A record's timestamp is epoch milliseconds from 0 on, not ${timestamp}`, {
    code: 'INVALID_TIMESTAMP',
    recovery: 'fail',
  });
}
