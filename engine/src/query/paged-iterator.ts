import type { AsyncKeyValueIterator, KeyValue } from '../state/key-value-store.ts';
import { PAGE_ENTRIES_MAX } from '../state/queries/read-page.ts';
import type { EntryPosition, Page, PageRequest, StoreQuery } from '../state/queries/store-query.ts';
import type { StoreDoor, StoreHolder } from './store-door.ts';

/**
 * The first page is small, since many iterations stop early; then pages grow, which hides what asking for one costs.
 */
const FIRST_PAGE_ENTRIES = 32;
const PAGE_GROWTH = 4;

/**
 * A range over all holders of a store, one after another, page by page.
 *
 * Owns: the page at hand and the place behind it. Called by: whoever asked a view for a range.
 * Invariants: I1 a page is asked for when the one before it is used up, never two at a time; I2 the place moves only
 * behind what was read, so that no key comes twice; I3 after an error or `close` nothing more is asked for.
 */
export class PagedIterator<K, V> implements AsyncKeyValueIterator<K, V> {
  readonly #door: StoreDoor;
  readonly #queryOf: (page: PageRequest) => StoreQuery;
  #holders: StoreHolder[] | undefined;
  #entries: readonly KeyValue<K, V>[] = [];
  #index = 0;
  #after: EntryPosition | undefined;
  #entriesMax = FIRST_PAGE_ENTRIES;
  #loading: Promise<void> | undefined;
  #isOver = false;

  /** `queryOf` makes the query for a page of the range. */
  constructor(door: StoreDoor, queryOf: (page: PageRequest) => StoreQuery) {
    this.#door = door;
    this.#queryOf = queryOf;
  }

  async next(): Promise<IteratorResult<KeyValue<K, V>, undefined>> {
    while (this.#index >= this.#entries.length) {
      if (this.#isOver) return { done: true, value: undefined };
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
    const value = this.#entries[this.#index] as KeyValue<K, V>;
    this.#index += 1;
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<KeyValue<K, V>, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#isOver = true;
    this.#entries = [];
    this.#index = 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #load(): Promise<void> {
    try {
      this.#holders ??= [...this.#door.holders()];
      const [holder] = this.#holders;
      if (holder === undefined) {
        this.close();
        return;
      }
      const query = this.#queryOf({ entriesMax: this.#entriesMax, after: this.#after });
      const page = (await holder.ask(query)) as Page<K, V>;
      if (this.#isOver) return;
      this.#entries = page.entries;
      this.#index = 0;
      this.#after = page.isLast ? undefined : page.after;
      this.#entriesMax = Math.min(this.#entriesMax * PAGE_GROWTH, PAGE_ENTRIES_MAX);
      if (page.isLast) this.#holders.shift();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}
