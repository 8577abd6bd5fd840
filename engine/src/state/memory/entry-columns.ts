import type { StoredValue, StoredView } from '../state-store.ts';

/** Values lie on this grid, so that 32 bits address 32 GB. */
const GRANULE_BYTES = 8;
const GRANULE_SHIFT = 3;
/** Values share chunks of this size; a value that needs more than a quarter of one gets a buffer of its own. */
const CHUNK_BYTES = 1 << 20;
const CHUNK_GRANULES = CHUNK_BYTES >> GRANULE_SHIFT;
const SHARED_VALUE_BYTES_MAX = CHUNK_BYTES / 4;
const FIRST_SLOTS = 64;
/** Up to here a loop beats a call into native copying. */
const LOOP_COPY_BYTES_MAX = 32;
/** Place of a value that has a buffer of its own. */
const OWN_BUFFER = 0xffff_ffff;
const noBytes = Buffer.alloc(0);

/**
 * Values and timestamps of a memory store, in typed arrays and large buffers outside the JavaScript heap. An object and a
 * Buffer per entry cost more in garbage collection than everything else that a store does, and small Buffers keep the
 * 8 KB pools alive that they were cut from.
 *
 * Owns: chunks of value bytes, free places by size, the columns by slot.
 * Called by: the memory stores, which keep the slot numbers.
 * Invariants: I1 a slot's place holds at least its length, rounded up to its size class; I2 a place belongs to one slot or to one
 * free list; I3 what is read out is a copy, so that overwriting in place can't change what a caller holds; `peek` alone shows the
 * place itself.
 */
export class EntryColumns {
  #timestamps = new Float64Array(FIRST_SLOTS);
  #places = new Uint32Array(FIRST_SLOTS);
  #lengths = new Int32Array(FIRST_SLOTS);
  #slotsEnd = 0;
  #freeSlots: number[] = [];
  #chunks: Buffer[] = [];
  /** Granules used of the last chunk. */
  #chunkUsed = CHUNK_GRANULES;
  #freePlaces = new Map<number, number[]>();
  readonly #large = new Map<number, Buffer>();
  readonly #view = { buffer: noBytes as Buffer, start: 0, end: 0, timestampMs: 0 };

  /**
   * Stores a value and answers the slot that it has from now on. Values above 256 KiB are kept as they are, others are
   * copied.
   */
  add(value: Buffer, timestampMs: number): number {
    const slot = this.#freeSlots.pop() ?? this.#newSlot();
    const length = value.length;
    this.#timestamps[slot] = timestampMs;
    this.#lengths[slot] = length;
    if (length > SHARED_VALUE_BYTES_MAX) {
      this.#places[slot] = OWN_BUFFER;
      this.#large.set(slot, value);
    } else {
      const place = this.#takePlace(sizeClass(length));
      this.#places[slot] = place;
      this.#write(place, value, length);
    }
    return slot;
  }

  /** Replaces a slot's value and timestamp, in place where the new value fits there. */
  set(slot: number, value: Buffer, timestampMs: number): void {
    const length = value.length;
    const place = this.#places[slot] as number;
    if (place !== OWN_BUFFER && length <= SHARED_VALUE_BYTES_MAX) {
      const size = sizeClass(length);
      const oldSize = sizeClass(this.#lengths[slot] as number);
      let target = place;
      if (size !== oldSize) {
        this.#freePlace(place, oldSize);
        target = this.#takePlace(size);
        this.#places[slot] = target;
      }
      this.#lengths[slot] = length;
      this.#timestamps[slot] = timestampMs;
      this.#write(target, value, length);
      return;
    }
    this.#release(slot);
    this.#freeSlots.pop();
    this.#freeSlots.push(slot);
    this.add(value, timestampMs);
  }

  /** Frees a slot: the next `add` may answer its number again. */
  remove(slot: number): void {
    this.#release(slot);
  }

  /** A slot's value, copied (see I3); above 256 KiB the buffer that was put. */
  value(slot: number): Buffer {
    const length = this.#lengths[slot] as number;
    const place = this.#places[slot] as number;
    if (place === OWN_BUFFER) return this.#large.get(slot) as Buffer;
    const copy = Buffer.allocUnsafe(length);
    const chunk = this.#chunks[Math.floor(place / CHUNK_GRANULES)] as Buffer;
    const start = (place % CHUNK_GRANULES) * GRANULE_BYTES;
    if (length <= LOOP_COPY_BYTES_MAX) {
      for (let i = 0; i < length; i += 1) copy[i] = chunk[start + i] as number;
    } else {
      chunk.copy(copy, 0, start, start + length);
    }
    return copy;
  }

  /** A slot's value where it lies; the next call answers the same object. */
  peek(slot: number): StoredView {
    const view = this.#view;
    const place = this.#places[slot] as number;
    if (place === OWN_BUFFER) {
      view.buffer = this.#large.get(slot) as Buffer;
      view.start = 0;
    } else {
      view.buffer = this.#chunks[Math.floor(place / CHUNK_GRANULES)] as Buffer;
      view.start = (place % CHUNK_GRANULES) * GRANULE_BYTES;
    }
    view.end = view.start + (this.#lengths[slot] as number);
    view.timestampMs = this.#timestamps[slot] as number;
    return view;
  }

  /** A slot's timestamp, without copying its value. */
  timestampMs(slot: number): number {
    return this.#timestamps[slot] as number;
  }

  /** A slot's value, copied, and its timestamp. */
  read(slot: number): StoredValue {
    return { value: this.value(slot), timestampMs: this.#timestamps[slot] as number };
  }

  /** Forgets all slots and gives their memory back. */
  clear(): void {
    this.#timestamps = new Float64Array(FIRST_SLOTS);
    this.#places = new Uint32Array(FIRST_SLOTS);
    this.#lengths = new Int32Array(FIRST_SLOTS);
    this.#slotsEnd = 0;
    this.#freeSlots = [];
    this.#chunks = [];
    this.#chunkUsed = CHUNK_GRANULES;
    this.#freePlaces = new Map();
    this.#large.clear();
    this.#view.buffer = noBytes;
  }

  #newSlot(): number {
    const slot = this.#slotsEnd;
    if (slot === this.#places.length) this.#grow(slot * 2);
    this.#slotsEnd = slot + 1;
    return slot;
  }

  #grow(slots: number): void {
    const timestamps = new Float64Array(slots);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const places = new Uint32Array(slots);
    places.set(this.#places);
    this.#places = places;
    const lengths = new Int32Array(slots);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }

  #release(slot: number): void {
    const place = this.#places[slot] as number;
    if (place === OWN_BUFFER) this.#large.delete(slot);
    else this.#freePlace(place, sizeClass(this.#lengths[slot] as number));
    this.#freeSlots.push(slot);
  }

  #takePlace(granules: number): number {
    const free = this.#freePlaces.get(granules)?.pop();
    if (free !== undefined) return free;
    if (this.#chunkUsed + granules > CHUNK_GRANULES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
      this.#chunkUsed = 0;
    }
    const place = (this.#chunks.length - 1) * CHUNK_GRANULES + this.#chunkUsed;
    this.#chunkUsed += granules;
    return place;
  }

  #freePlace(place: number, granules: number): void {
    const free = this.#freePlaces.get(granules);
    if (free === undefined) this.#freePlaces.set(granules, [place]);
    else free.push(place);
  }

  #write(place: number, value: Buffer, length: number): void {
    const chunk = this.#chunks[Math.floor(place / CHUNK_GRANULES)] as Buffer;
    const start = (place % CHUNK_GRANULES) * GRANULE_BYTES;
    if (length <= LOOP_COPY_BYTES_MAX) {
      for (let i = 0; i < length; i += 1) chunk[start + i] = value[i] as number;
    } else {
      chunk.set(value, start);
    }
  }
}

/** Granules reserved for a value: exact up to 128 bytes, then in steps of a quarter of the next power of two, so that growing values move rarely. */
function sizeClass(bytes: number): number {
  const granules = bytes <= GRANULE_BYTES ? 1 : (bytes + GRANULE_BYTES - 1) >> GRANULE_SHIFT;
  if (granules <= 16) return granules;
  const step = 1 << (29 - Math.clz32(granules - 1));
  return Math.ceil(granules / step) * step;
}
