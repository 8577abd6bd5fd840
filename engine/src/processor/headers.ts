import type { Header } from '../base/record-batch.ts';

/**
 * A record's headers: order kept, several of one key allowed. Mutable and shared by all children that a record is forwarded
 * to, as in Kafka Streams.
 */
export class Headers implements Iterable<Header> {
  #entries: Header[];

  constructor(entries: readonly Header[] = []) {
    this.#entries = [...entries];
  }

  get size(): number {
    return this.#entries.length;
  }

  add(key: string, value: Buffer | string | null): this {
    this.#entries.push({ key, value: typeof value === 'string' ? Buffer.from(value) : value });
    return this;
  }

  /** Removes every header of `key`. */
  remove(key: string): this {
    this.#entries = this.#entries.filter((header) => header.key !== key);
    return this;
  }

  lastHeader(key: string): Header | undefined {
    return this.#entries.findLast((header) => header.key === key);
  }

  headers(key: string): readonly Header[] {
    return this.#entries.filter((header) => header.key === key);
  }

  toArray(): readonly Header[] {
    return this.#entries;
  }

  copy(): Headers {
    return new Headers(this.#entries);
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.#entries[Symbol.iterator]();
  }
}
