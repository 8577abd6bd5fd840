import { type Log, type Serde, TopicReader, type TopicReaderOptions } from 'millrace';
import type { Component } from './component.ts';
import type { Connections } from './connections.ts';
import { ReadingCheck } from './reading-check.ts';

/** What this process reads of a topic by itself, without a group: every instance reads all of it. */
export interface ReaderRow<V> {
  readonly name: string;
  readonly topic: string;
  readonly value: Serde<V>;
  /** Where to begin. Default: with what comes after the start. */
  readonly from?: NonNullable<TopicReaderOptions<string, V>['from']>;
  readonly onValue: (value: V) => void;
}

/**
 * A reader as a component.
 *
 * Owns: the reader of a topic and the check that it reads. Called by: the components of the process.
 */
export class Reader<V> implements Component {
  readonly #row: ReaderRow<V>;
  readonly #connections: Connections;
  readonly #log: Log;
  #reader: TopicReader<string, V> | undefined;
  #check: ReadingCheck | undefined;

  constructor(row: ReaderRow<V>, connections: Connections, log: Log) {
    this.#row = row;
    this.#connections = connections;
    this.#log = log;
  }

  get name(): string {
    return this.#row.name;
  }

  /** Resolves when the start positions are fixed: what is written from then on will be read. */
  async start(): Promise<void> {
    const { name, topic, value, from, onValue } = this.#row;
    const { broker, serdes } = this.#connections;
    const reader = await TopicReader.open({
      broker,
      topic,
      key: serdes.key,
      value,
      ...(from === undefined ? {} : { from }),
      onRecords: (records) => {
        for (const record of records) if (record.value !== null) this.#hand(onValue, record.value);
      },
      onError: (error, at) =>
        this.#log.warn({ err: error, reader: name, ...at }, 'A reader failed to read; it tries again'),
    });
    this.#reader = reader;
    this.#check = new ReadingCheck(() => reader.caughtUp());
  }

  /** One that can't be used costs no other. */
  #hand(onValue: (value: V) => void, value: V): void {
    try {
      onValue(value);
    } catch (error) {
      this.#log.warn({ err: error, reader: this.name }, 'What a reader read could not be used');
    }
  }

  isReady(): boolean {
    return this.#check?.isReading ?? false;
  }

  async close(): Promise<void> {
    this.#check?.close();
    await this.#reader?.close();
  }
}
