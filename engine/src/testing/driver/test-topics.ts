import type { Header } from '../../base/record-batch.ts';
import { Headers } from '../../processor/headers.ts';
import type { Serde } from '../../serde/serde.ts';
import type { CapturedRecord } from './captured-records.ts';

/** A record as a test sees it. */
export interface TestRecord<K, V> {
  /** The decoded key; null where there is none. */
  readonly key: K;
  /** The decoded value; null for a tombstone. */
  readonly value: V;
  /** Timestamp of the record, epoch ms. */
  readonly timestampMs: number;
  /** Headers of the record, in order. */
  readonly headers: Headers;
}

/** The time of records that are piped without one. */
export interface TestInputTime {
  /** Time of the first such record, epoch ms. Default: the driver's wall clock, read for each record. */
  readonly startTimestampMs?: number;
  /** How much later each further one is, ms. Default: 0. */
  readonly autoAdvanceMs?: number;
}

/** Writes records into a topology; made by `TopologyTestDriver.createInputTopic`. Java's `TestInputTopic`. */
export class TestInputTopic<K, V> {
  /** The topic's complete name. */
  readonly topic: string;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  readonly #pipe: (record: CapturedRecord) => void;
  readonly #wallClockMs: () => number;
  readonly #autoAdvanceMs: number;
  #advancedMs = 0;

  /** `pipe` takes each record as bytes and returns when it has been processed. */
  constructor(
    topic: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    {
      nowMs,
      time = {},
    }: {
      /** The driver's wall clock, epoch ms. */
      readonly nowMs: () => number;
      /** Which time records get that are piped without one. Default: the wall clock. */
      readonly time?: TestInputTime | undefined;
    },
    pipe: (record: CapturedRecord) => void,
  ) {
    this.topic = topic;
    this.#keySerde = keySerde;
    this.#valueSerde = valueSerde;
    const { startTimestampMs, autoAdvanceMs = 0 } = time;
    this.#wallClockMs = startTimestampMs === undefined ? nowMs : () => startTimestampMs;
    this.#autoAdvanceMs = autoAdvanceMs;
    this.#pipe = pipe;
  }

  /** Moves the time of records that are piped without one, by 0 ms or more; a negative number throws a `RangeError`. */
  advanceTimeMs(byMs: number): void {
    if (!(byMs >= 0)) throw new RangeError(`Topic '${this.topic}': time can't go back, by ${byMs} ms`);
    this.#advancedMs += byMs;
  }

  /**
   * Processes one record to completion. Without a timestamp it gets the time of the topic: the driver's wall clock by
   * default. Throws what the topology throws, and a `RangeError` for a topic that it doesn't read.
   */
  pipeInput(key: K | null, value: V | null, timestampMs?: number, headers: Iterable<Header> = []): void {
    this.#pipe({
      topic: this.topic,
      partition: 0,
      key: key === null || key === undefined ? null : this.#keySerde.serialize(key, this.topic),
      value: value === null || value === undefined ? null : this.#valueSerde.serialize(value, this.topic),
      timestampMs: timestampMs ?? this.#nextMs(),
      headers: [...headers],
    });
  }

  /** Processes one record given as bytes, such as ones that no serde would write. */
  pipeRaw(key: Buffer | null, value: Buffer | null, timestampMs?: number, headers: Iterable<Header> = []): void {
    const at = timestampMs ?? this.#nextMs();
    this.#pipe({ topic: this.topic, partition: 0, key, value, timestampMs: at, headers: [...headers] });
  }

  /** Processes one record after the other: key, value and, if given, timestamp. */
  pipeKeyValueList(records: Iterable<readonly [K | null, V | null, number?]>): void {
    for (const [key, value, timestampMs] of records) this.pipeInput(key, value, timestampMs);
  }

  /** Processes one record after the other, all without a key. */
  pipeValueList(values: Iterable<V | null>): void {
    for (const value of values) this.pipeInput(null, value);
  }

  /** Processes one record after the other, given as an output topic answers them. */
  pipeRecordList(records: Iterable<Partial<TestRecord<K | null, V | null>>>): void {
    for (const { key = null, value = null, timestampMs, headers } of records) {
      this.pipeInput(key, value, timestampMs, headers);
    }
  }

  #nextMs(): number {
    const nowMs = this.#wallClockMs() + this.#advancedMs;
    this.#advancedMs += this.#autoAdvanceMs;
    return nowMs;
  }
}

/**
 * Reads what a topology wrote, oldest first; made by `TopologyTestDriver.createOutputTopic`. Java's `TestOutputTopic`.
 */
export class TestOutputTopic<K, V> {
  /** The topic's complete name. */
  readonly topic: string;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V>;
  readonly #records: () => CapturedRecord[];

  /** `records` answers what was written and not yet read. */
  constructor(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>, records: () => CapturedRecord[]) {
    this.topic = topic;
    this.#keySerde = keySerde;
    this.#valueSerde = valueSerde;
    this.#records = records;
  }

  /** Whether everything was read. */
  get isEmpty(): boolean {
    return this.#records().length === 0;
  }

  /** Records waiting to be read. */
  get queueSize(): number {
    return this.#records().length;
  }

  /**
   * Takes the oldest record. Throws a `RangeError` when there is none, and `DESERIALIZATION` for bytes that the serdes
   * can't decode.
   */
  readRecord(): TestRecord<K, V> {
    const record = this.#records().shift();
    if (record === undefined) throw new RangeError(`Topic '${this.topic}' has no record to read`);
    return {
      key: this.#decode(this.#keySerde, record.key) as K,
      value: this.#decode(this.#valueSerde, record.value) as V,
      timestampMs: record.timestampMs,
      headers: new Headers(record.headers),
    };
  }

  /** Takes all records. */
  readRecordsToList(): TestRecord<K, V>[] {
    const records: TestRecord<K, V>[] = [];
    while (!this.isEmpty) records.push(this.readRecord());
    return records;
  }

  /** Takes the oldest record and answers its value. Throws a `RangeError` when there is none. */
  readValue(): V {
    return this.readRecord().value;
  }

  /** Takes all records and answers their values. */
  readValuesToList(): V[] {
    return this.readRecordsToList().map((record) => record.value);
  }

  /** Takes the oldest record and answers its key and value. Throws a `RangeError` when there is none. */
  readKeyValue(): {
    /** The decoded key; null where there is none. */
    readonly key: K;
    /** The decoded value; null for a tombstone. */
    readonly value: V;
  } {
    const { key, value } = this.readRecord();
    return { key, value };
  }

  /** Takes all records and answers their keys and values. */
  readKeyValuesToList(): {
    /** The decoded key; null where there is none. */
    readonly key: K;
    /** The decoded value; null for a tombstone. */
    readonly value: V;
  }[] {
    return this.readRecordsToList().map(({ key, value }) => ({ key, value }));
  }

  /** Takes all records and answers the last value of each key. Keys that are objects are not the same by content. */
  readKeyValuesToMap(): Map<K, V> {
    return new Map(this.readRecordsToList().map(({ key, value }) => [key, value]));
  }

  #decode<T>(serde: Serde<T>, bytes: Buffer | null): T | null {
    return bytes === null ? null : serde.deserialize(bytes, 0, bytes.length, this.topic);
  }
}
