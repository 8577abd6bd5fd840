import type {
  InspectionFilter,
  InspectionList,
  InspectionState,
  InspectionView,
  ListPosition,
} from '@chip-quality/schemas';
import type { KeyValue } from 'millrace';
import { inspectionView } from '../views.ts';

/** Times are inverted against this, so that byte order is newest first; 13 digits last until the year 2286. */
const TIME_MAX = 9_999_999_999_999;
const TIME_DIGITS = 13;
/**
 * A selective filter looks at this many inspections at most before it answers with what it has and where to go on:
 * reading them takes some 20 ms a partition, a page at a time.
 */
const SCAN_MAX = 2_000;
/** States are looked up together: as many as fill the list at first, then more at once, up to this many. */
const LOOK_UPS_MAX = 256;
const LOOK_UPS_GROWTH = 4;

/** One partition of the store `inspections-by-time`: its entries between two keys, in order. */
export interface InspectionsByTime {
  /** Entries of the keys between two, both included, in order: keys as {@link byTimeKey} makes them, values ids. */
  range(from: string, to: string): AsyncIterable<KeyValue<string, string>> | Iterable<KeyValue<string, string>>;
}

/** The partition of the store `inspections` that belongs to one of `inspections-by-time`. */
export interface InspectionStates {
  /** The state of an inspection; undefined where there is none of this id. */
  get(id: string): Promise<InspectionState | undefined> | InspectionState | undefined;
}

function tenantPrefix(tenantId: string): string {
  return `${encodeURIComponent(tenantId)}|`;
}

/** Key of the store `inspections-by-time`: all of a tenant together, newest first, ties by id. */
export function byTimeKey(tenantId: string, createdAtMs: number, id: string): string {
  return `${tenantPrefix(tenantId)}${String(TIME_MAX - createdAtMs).padStart(TIME_DIGITS, '0')}|${id}`;
}

/**
 * One partition's newest inspections of a tenant that pass the filter, at most `limit + 1`, so that the caller sees whether
 * there are more. Several partitions' answers are merged by {@link mergeNewest}. `scanMax` is for tests.
 */
export async function listInspections(
  byTime: InspectionsByTime,
  inspections: InspectionStates,
  tenantId: string,
  filter: InspectionFilter,
  scanMax = SCAN_MAX,
): Promise<InspectionList> {
  const prefix = tenantPrefix(tenantId);
  const start = filter.after === undefined ? prefix : byTimeKey(tenantId, filter.after.createdAtMs, filter.after.id);
  // '}' follows '|' in byte order: the end of the tenant's keys.
  const entries = byTime.range(start, `${prefix.slice(0, -1)}}`);
  const views: InspectionView[] = [];
  let scanned = 0;
  for await (const chunk of chunksOf(entries, filter.limit + 1, ({ key }) => key.startsWith(prefix) && key !== start)) {
    const states = await Promise.all(chunk.map(({ value: id }) => inspections.get(id)));
    for (const [index, { key, value: id }] of chunk.entries()) {
      const view = viewOf(states[index], tenantId, filter);
      if (view !== undefined) views.push(view);
      if (views.length > filter.limit) return { views };
      scanned += 1;
      if (scanned >= scanMax) {
        const createdAtMs = TIME_MAX - Number(key.slice(prefix.length, prefix.length + TIME_DIGITS));
        return { views, resumeAfter: { createdAtMs, id } };
      }
    }
  }
  return { views };
}

/** The wanted items, `first` of them at first, then more and more. */
async function* chunksOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  first: number,
  isWanted: (item: T) => boolean,
): AsyncGenerator<readonly T[], void, undefined> {
  let size = first;
  let chunk: T[] = [];
  for await (const item of items) {
    if (!isWanted(item)) continue;
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
    size = Math.max(size, Math.min(size * LOOK_UPS_GROWTH, LOOK_UPS_MAX));
  }
  if (chunk.length > 0) yield chunk;
}

function viewOf(
  state: InspectionState | undefined,
  tenantId: string,
  filter: InspectionFilter,
): InspectionView | undefined {
  if (state === undefined || state.tenant_id !== tenantId || !passes(state, filter)) return undefined;
  const view = inspectionView(state);
  return filter.status === undefined || view.status === filter.status ? view : undefined;
}

function passes(state: InspectionState, { chipId, lotId }: InspectionFilter): boolean {
  return (chipId === undefined || state.chip_id === chipId) && (lotId === undefined || state.lot_id === lotId);
}

const positionOf = (view: InspectionView): ListPosition => ({ createdAtMs: Date.parse(view.created_at), id: view.id });

const inListOrder = (a: ListPosition, b: ListPosition): number =>
  b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/**
 * Lists of several partitions as one: newest first, ties by id, at most `limit + 1`. Where one partition's search was cut
 * short, what the others found behind that place waits for the next page, or the list would have holes.
 */
export function mergeNewest(lists: readonly InspectionList[], limit: number): InspectionList {
  const [resumeAfter] = lists.flatMap((list) => list.resumeAfter ?? []).sort(inListOrder);
  const views = lists
    .flatMap((list) => list.views)
    .filter((view) => resumeAfter === undefined || inListOrder(positionOf(view), resumeAfter) <= 0)
    .sort((a, b) => inListOrder(positionOf(a), positionOf(b)))
    .slice(0, limit + 1);
  return resumeAfter === undefined || views.length > limit ? { views } : { views, resumeAfter };
}
