/** What decides which batch a waiting item may join. */
export interface Waiting {
  /** No batch with this item may hold more items than this. */
  readonly batchSizeMax: number;
}

/** A batch that could go now. */
export interface BatchProposal<E> {
  /** In order of service; empty when nothing waits. */
  readonly items: readonly E[];
  /** The size is a preferred one, or the largest that an item's own bound allows. */
  readonly exact: boolean;
  /** Waiting longer can't make it larger. */
  readonly full: boolean;
}

/**
 * Chooses the next batch. `lanes` come in order of service and are only ever shortened from their front, so that every lane
 * stays first in, first out; an item whose bound is too small for the batch ends its lane's part of it. `sizesDescending`: the
 * preferred sizes, largest first.
 */
export function formBatch<E extends Waiting>(
  lanes: readonly (readonly E[])[],
  sizesDescending: readonly number[],
): BatchProposal<E> {
  const chosen: E[] = [];
  const largest = sizesDescending[0] ?? 1;
  let bound = largest;
  for (const lane of lanes) {
    for (const item of lane) {
      const narrower = Math.min(bound, item.batchSizeMax);
      if (chosen.length + 1 > narrower) break;
      chosen.push(item);
      bound = narrower;
    }
  }
  const preferred = sizesDescending.find((size) => size <= chosen.length);
  const reachable = sizesDescending.find((size) => size <= bound) ?? bound;
  const size = preferred ?? chosen.length;
  return {
    items: chosen.slice(0, size),
    exact: size > 0 && (preferred !== undefined || size === reachable),
    full: size > 0 && size >= reachable,
  };
}
