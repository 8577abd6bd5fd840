import type { Header } from '../base/record-batch.ts';

/**
 * A record's headers: order kept, several of one key allowed (Java's `Headers`). Mutable and shared by all children that
 * one record is forwarded to; each operation of the DSL forwards a copy, as in Kafka Streams.
 */
export class Headers implements Iterable<Header> {
  #entries: Header[];

  /** `entries` are copied: later changes of the list change nothing here. */
  constructor(entries: readonly Header[] = []) {
    this.#entries = [...entries];
  }

  /** How many headers there are, repeated keys counted each. */
  get size(): number {
    return this.#entries.length;
  }

  /** Appends a header, even if there are others of this key. Text is written as UTF-8. */
  add(key: string, value: Buffer | string | null): this {
    this.#entries.push({ key, value: typeof value === 'string' ? Buffer.from(value) : value });
    return this;
  }

  /** Removes every header of `key`. */
  remove(key: string): this {
    this.#entries = this.#entries.filter((header) => header.key !== key);
    return this;
  }

  /**
   * The last header of a key, which is the one that counts where a key occurs several times; undefined if there is
   * none.
   */
  lastHeader(key: string): Header | undefined {
    return this.#entries.findLast((header) => header.key === key);
  }

  /** All headers of a key, in order. */
  headers(key: string): readonly Header[] {
    return this.#entries.filter((header) => header.key === key);
  }

  /** All headers in order: the list itself, not a copy. */
  toArray(): readonly Header[] {
    return this.#entries;
  }

  /** Independent headers with the same entries. */
  copy(): Headers {
    return new Headers(this.#entries);
  }

  /** All headers in order. */
  [Symbol.iterator](): Iterator<Header> {
    return this.#entries[Symbol.iterator]();
  }
}
