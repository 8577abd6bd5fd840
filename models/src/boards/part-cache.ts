/** A part's copper as drawn, and its golden image as the camera saw it. */
export interface Part {
  readonly ideal: Uint8Array;
  readonly golden: Uint8Array;
}

/** Parts kept at once, 0.8 MB each: a demonstration run has a handful. */
const PARTS_MAX = 16;

/**
 * The parts used last, so that a line of boards of one part draws its copper once.
 *
 * Owns: at most {@link PARTS_MAX} parts. Called by: `generateBoard`.
 * Invariants: (I1) never more than the limit; (I2) the part dropped is the one unused for longest.
 */
export class LruOfParts {
  readonly #parts = new Map<number, Part>();
  readonly #make: (partSeed: number) => Part;

  constructor(make: (partSeed: number) => Part) {
    this.#make = make;
  }

  /** The part of a seed, made when it is not kept. */
  get(partSeed: number): Part {
    const part = this.#parts.get(partSeed) ?? this.#make(partSeed);
    // A Map keeps insertion order: taking out and putting back makes it the newest.
    this.#parts.delete(partSeed);
    this.#parts.set(partSeed, part);
    if (this.#parts.size > PARTS_MAX) {
      const oldest = this.#parts.keys().next();
      if (!oldest.done) this.#parts.delete(oldest.value);
    }
    return part;
  }
}
