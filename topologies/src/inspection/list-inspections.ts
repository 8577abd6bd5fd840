import type {
  InspectionFilter,
  InspectionList,
  InspectionState,
  InspectionView,
  ListPosition,
} from '@chip-quality/schemas';
import type { ReadOnlyKeyValueStore } from 'millrace';
import { inspectionView } from '../views.ts';

/** Times are inverted against this, so that byte order is newest first; 13 digits last until the year 2286. */
const TIME_MAX = 9_999_999_999_999;
const TIME_DIGITS = 13;
/**
 * A selective filter looks at this many inspections at most before it answers with what it has and where to go on: reading
 * them takes some 20 ms a partition, during which the process does nothing else.
 */
const SCAN_MAX = 2_000;

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
export function listInspections(
  byTime: ReadOnlyKeyValueStore<string, string>,
  inspections: ReadOnlyKeyValueStore<string, InspectionState>,
  tenantId: string,
  filter: InspectionFilter,
  scanMax = SCAN_MAX,
): InspectionList {
  const prefix = tenantPrefix(tenantId);
  const start = filter.after === undefined ? prefix : byTimeKey(tenantId, filter.after.createdAtMs, filter.after.id);
  const views: InspectionView[] = [];
  let scanned = 0;
  // '}' follows '|' in byte order: the end of the tenant's keys.
  using entries = byTime.range(start, `${prefix.slice(0, -1)}}`);
  for (const { key, value: id } of entries) {
    if (!key.startsWith(prefix) || key === start) continue;
    const state = inspections.get(id);
    if (state !== undefined && state.tenant_id === tenantId && passes(state, filter)) {
      const view = inspectionView(state);
      if (filter.status === undefined || view.status === filter.status) views.push(view);
    }
    if (views.length > filter.limit) break;
    scanned += 1;
    if (scanned >= scanMax) {
      const createdAtMs = TIME_MAX - Number(key.slice(prefix.length, prefix.length + TIME_DIGITS));
      return { views, resumeAfter: { createdAtMs, id } };
    }
  }
  return { views };
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
