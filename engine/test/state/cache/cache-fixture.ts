import type { CacheListener, CacheOrigin } from '../../../src/state/cache/cache-origin.ts';
import { ThreadCache } from '../../../src/state/cache/thread-cache.ts';
import type { StateStoreContext } from '../../../src/state/state-store.ts';
import { StoreFixture } from '../../contract/store-fixture.ts';

/** A store context with a record cache; `inside` tells for whom the code runs just now. */
export class CacheFixture extends StoreFixture {
  readonly thread: ThreadCache;
  topic = 'in';
  readonly entered: CacheOrigin[] = [];
  isProcessing = true;
  /** How often a read had the records saved that are being processed. */
  recordsSaved = 0;
  readonly cached: StateStoreContext;

  constructor(maxBytes: number) {
    super();
    this.thread = new ThreadCache(maxBytes);
    const isProcessing = (): boolean => this.isProcessing;
    this.cached = {
      ...this.context,
      cache: {
        thread: this.thread,
        get isProcessing() {
          return isProcessing();
        },
        saveRecords: () => {
          this.recordsSaved += 1;
          return () => {};
        },
        origin: () => ({ topic: this.topic, timestampMs: this.timestampMs, headers: undefined }),
        enter: (origin) => {
          this.entered.push(origin);
          const outer = this.timestampMs;
          this.timestampMs = origin.timestampMs;
          return outer;
        },
        leave: (outer) => {
          this.entered.pop();
          this.timestampMs = outer as number;
        },
      },
    };
  }
}

/** What a listener was told: key, new value, old value, timestamp. */
export class HeardChanges implements CacheListener {
  readonly changes: [string, string | null, string | null, number][] = [];

  flushed(key: Buffer, newValue: Buffer | null, oldValue: Buffer | null, timestampMs: number): void {
    const textOf = (bytes: Buffer | null) => (bytes === null ? null : bytes.latin1Slice());
    this.changes.push([key.latin1Slice(), textOf(newValue), textOf(oldValue), timestampMs]);
  }
}
