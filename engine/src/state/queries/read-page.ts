import type { KeyValue } from '../key-value-store.ts';
import type { BoundedScan, PreparedScans, StoreEntry, StoreIterator } from '../state-store.ts';
import type { EntryPosition, Page, PageRequest, QueryDirection } from './store-query.ts';

/**
 * Most entries of a page, whatever was asked for: decoding one takes up to some 5 µs, so a page takes no more than about
 * 2 ms of the thread that processes records.
 */
export const PAGE_ENTRIES_MAX = 512;
/**
 * A page ends after so many bytes of keys and values: decoders do some 100 MB/s, which is 2.5 ms again. At least one
 * entry is in it.
 */
const PAGE_BYTES_MAX = 256 * 1024;
/** Keys or rows of other times that a page passes over before it ends: each takes up to 1 µs. */
const PASSED_OVER_MAX = 2_000;
/** What a page does at most for the order of a store's keys before it reads, some 1 µs each; the next page goes on. */
const PREPARED_MAX = 2_000;

/** How a range is read from a place on. */
export interface PageScan<B, K, V> {
  readonly store: PreparedScans;
  /** Iterators that follow one another; each is opened when the one before it has ended. */
  readonly segments: readonly ((bound: BoundedScan<B>) => StoreIterator<B>)[];
  /** Which part of the range is wanted. */
  readonly request: PageRequest;
  /** Order of the range. */
  readonly direction: QueryDirection;
  /** Place of an entry in the order of the range, from its key in the bytes store. */
  readonly positionOf: (key: B) => EntryPosition;
  /** The typed entry that is handed out. */
  readonly entryOf: (entry: StoreEntry<B>) => KeyValue<K, V>;
  /** Nothing behind this entry belongs to the range. Default: the iterators know where it ends. */
  readonly isPast?: (key: B) => boolean;
}

/** Reads one page. What lies before or at `request.after` is left out, so the iterators may begin a little earlier. */
export function readPage<B, K, V>(scan: PageScan<B, K, V>): Page<K, V> {
  const { store, segments, request, direction, positionOf, entryOf, isPast } = scan;
  const entriesMax = Math.max(1, Math.min(request.entriesMax, PAGE_ENTRIES_MAX));
  const entries: KeyValue<K, V>[] = [];
  let bytes = 0;
  let { after } = request;
  if (!store.prepareScan(PREPARED_MAX)) return { entries, after, isLast: false };
  const bound: BoundedScan<B> = { stepsLeft: PASSED_OVER_MAX, stoppedAt: undefined };
  for (const open of segments) {
    const iterator = open(bound);
    try {
      for (let step = iterator.next(); step.done !== true; step = iterator.next()) {
        const { key, value } = step.value;
        if (isPast?.(key) === true) return { entries, after, isLast: true };
        const position = positionOf(key);
        if (after !== undefined && !isBehind(position, after, direction)) continue;
        if (entries.length === entriesMax || bytes >= PAGE_BYTES_MAX) return { entries, after, isLast: false };
        entries.push(entryOf(step.value));
        bytes += position.key.length + value.length;
        after = position;
      }
    } finally {
      iterator.close();
    }
    if (bound.stoppedAt !== undefined) return { entries, after: positionOf(bound.stoppedAt), isLast: false };
  }
  return { entries, after, isLast: true };
}

function isBehind(a: EntryPosition, b: EntryPosition, direction: QueryDirection): boolean {
  const order = compare(a, b);
  return direction === 'forward' ? order > 0 : order < 0;
}

function compare(a: EntryPosition, b: EntryPosition): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.timeMs - b.timeMs || a.number - b.number;
}
