import type { InspectionState } from '@chip-quality/schemas';
import type { ReadOnlyKeyValueStore } from 'millrace';
import { type InspectionView, inspectionView } from '../views.ts';

/** Times are inverted against this, so that byte order is newest first; 13 digits last until the year 2286. */
const TIME_MAX = 9_999_999_999_999;
/** A selective filter looks at this many inspections at most; what lies further back is history, which SQL answers. */
const SCAN_MAX = 10_000;

/** Structurally the API's `InspectionFilter`. */
export interface ListFilter {
  readonly limit: number;
  readonly after?: { readonly createdAtMs: number; readonly id: string };
  readonly status?: string;
  readonly chipId?: string;
  readonly lotId?: string;
}

function tenantPrefix(tenantId: string): string {
  return `${encodeURIComponent(tenantId)}|`;
}

/** Key of the store `inspections-by-time`: all of a tenant together, newest first, ties by id. */
export function byTimeKey(tenantId: string, createdAtMs: number, id: string): string {
  return `${tenantPrefix(tenantId)}${String(TIME_MAX - createdAtMs).padStart(13, '0')}|${id}`;
}

/**
 * One partition's newest inspections of a tenant that pass the filter, at most `limit + 1`, so that the caller sees whether
 * there are more. Several partitions' answers are merged by {@link mergeNewest}.
 */
export function listInspections(
  byTime: ReadOnlyKeyValueStore<string, string>,
  inspections: ReadOnlyKeyValueStore<string, InspectionState>,
  tenantId: string,
  filter: ListFilter,
): InspectionView[] {
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
    scanned += 1;
    if (views.length > filter.limit || scanned >= SCAN_MAX) break;
  }
  return views;
}

function passes(state: InspectionState, { chipId, lotId }: ListFilter): boolean {
  return (chipId === undefined || state.chip_id === chipId) && (lotId === undefined || state.lot_id === lotId);
}

/** Lists of several partitions as one: newest first, ties by id, at most `limit + 1`. */
export function mergeNewest(lists: readonly (readonly InspectionView[])[], limit: number): InspectionView[] {
  return lists
    .flat()
    .sort((a, b) => (a.created_at === b.created_at ? (a.id < b.id ? -1 : 1) : a.created_at < b.created_at ? 1 : -1))
    .slice(0, limit + 1);
}
