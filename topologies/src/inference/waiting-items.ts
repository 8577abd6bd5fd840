import { type DetectorVersion, INFERENCE_PRIORITIES, type InferencePriority } from '@chip-quality/schemas';
import { type BatchProposal, formBatch, type Waiting } from './form-batch.ts';

/** Lanes in order of service. */
const LANES: readonly InferencePriority[] = [...INFERENCE_PRIORITIES].reverse();

/** What decides when an item is served. */
export interface WaitingItem extends Waiting {
  readonly version: DetectorVersion;
  readonly lane: InferencePriority;
  readonly arrivedMs: number;
  /** Tells apart what arrived in the same moment. */
  readonly arrival: number;
}

/** What one version could be given now. */
export interface Offer<E> extends BatchProposal<E> {
  readonly leader: E;
  /** Of the version's oldest item, ms. */
  readonly waitedMs: number;
}

type Queues<E> = ReadonlyMap<InferencePriority, E[]>;

/**
 * Items that wait for a batch: a queue for each version and lane.
 *
 * Owns: the queues. Called by: the lane batcher.
 * Invariants: I1 a lane of a version is first in, first out; I2 only versions that something waits for are kept.
 */
export class WaitingItems<E extends WaitingItem> {
  readonly #sizesDescending: readonly number[];
  readonly #versions = new Map<DetectorVersion, Queues<E>>();

  constructor(sizesDescending: readonly number[]) {
    this.#sizesDescending = sizesDescending;
  }

  add(item: E): void {
    const queues = this.#versions.get(item.version) ?? new Map(LANES.map((lane) => [lane, []]));
    this.#versions.set(item.version, queues);
    queues.get(item.lane)?.push(item);
  }

  /** Answers whether it waited. */
  remove(item: E): boolean {
    const queues = this.#versions.get(item.version);
    const queue = queues?.get(item.lane);
    const at = queue?.indexOf(item) ?? -1;
    if (queues === undefined || queue === undefined || at < 0) return false;
    queue.splice(at, 1);
    if ([...queues.values()].every(({ length }) => length === 0)) this.#versions.delete(item.version);
    return true;
  }

  /** The item that has waited longest, of the versions that may be served now. */
  oldest(mayServe: (version: DetectorVersion) => boolean): E | undefined {
    const heads = [...this.#versions].flatMap(([version, queues]) =>
      mayServe(version) ? [...queues.values()].flatMap(([head]) => head ?? []) : [],
    );
    return heads.reduce<E | undefined>(
      (old, head) => (old !== undefined && old.arrival < head.arrival ? old : head),
      undefined,
    );
  }

  /** What each version that may be served now would be given, highest leader first, then the oldest. */
  offers(nowMs: number, mayServe: (version: DetectorVersion) => boolean): Offer<E>[] {
    return [...this.#versions.keys()]
      .filter(mayServe)
      .map((version) => this.#offer(version, LANES, nowMs))
      .sort(({ leader: one }, { leader: other }) => rank(one) - rank(other) || one.arrival - other.arrival);
  }

  /** A batch that this item's lane leads. */
  offerLedBy({ version, lane }: E, nowMs: number): Offer<E> {
    return this.#offer(version, [lane, ...LANES.filter((other) => other !== lane)], nowMs);
  }

  #offer(version: DetectorVersion, order: readonly InferencePriority[], nowMs: number): Offer<E> {
    const queues = this.#versions.get(version) as Queues<E>;
    const proposal = formBatch(
      order.map((lane) => queues.get(lane) as E[]),
      this.#sizesDescending,
    );
    const arrivedMs = Math.min(...[...queues.values()].map(([head]) => head?.arrivedMs ?? Number.POSITIVE_INFINITY));
    return { ...proposal, leader: proposal.items[0] as E, waitedMs: nowMs - arrivedMs };
  }
}

/** 0: served first. */
export function rank({ lane }: Pick<WaitingItem, 'lane'>): number {
  return LANES.indexOf(lane);
}
