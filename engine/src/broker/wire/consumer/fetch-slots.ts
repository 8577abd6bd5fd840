/**
 * Fetches at once per broker. One would do if all partitions were always asked together; a resumed or sought partition may not
 * wait until the long poll of the idle ones ends.
 */
const FETCH_SLOTS_MAX = 3;

/** One fetch at a time over a connection of its own. */
export interface FetchSlot {
  /** Name of its connection. */
  readonly purpose: string;
  /** Whether a fetch is in flight over it. */
  isBusy: boolean;
}

/**
 * The connections that a consumer fetches over.
 *
 * Owns: the slots of each broker. Called by: WireConsumer, which marks them busy. Invariants: I1 at most
 * {@link FETCH_SLOTS_MAX} a broker.
 */
export class FetchSlots {
  readonly #name: string;
  readonly #slots = new Map<number, FetchSlot[]>();

  /** `name` tells the consumer's connections from those of others. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Undefined while all are busy. */
  free(leaderId: number): FetchSlot | undefined {
    let slots = this.#slots.get(leaderId);
    if (slots === undefined) {
      slots = [];
      this.#slots.set(leaderId, slots);
    }
    const free = slots.find((slot) => !slot.isBusy);
    if (free !== undefined) return free;
    if (slots.length >= FETCH_SLOTS_MAX) return undefined;
    const slot = { purpose: this.#purpose(slots.length), isBusy: false };
    slots.push(slot);
    return slot;
  }

  /** Names of all connections that there may be. */
  purposes(): readonly string[] {
    return Array.from({ length: FETCH_SLOTS_MAX }, (_, slot) => this.#purpose(slot));
  }

  #purpose(slot: number): string {
    return `${this.#name}-fetch-${slot}`;
  }
}
