/**
 * A small deterministic generator (sfc32), so that a board can be made again from its seed on any
 * machine: `Math.random` cannot be seeded.
 *
 * Owns: 128 bits of state. Called by: the board generator only.
 * Invariants: (I1) equal seeds give equal sequences; (I2) every result of `next` is in [0, 1).
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seeds any finite numbers; fractions and digits above 2^53 are not told apart. */
  constructor(...seeds: readonly number[]) {
    const words = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
    for (const seed of seeds) {
      const low = seed >>> 0;
      const high = Math.floor(Math.abs(seed) / 2 ** 32) >>> 0;
      for (let i = 0; i < words.length; i += 1) {
        words[i] = mix((words[i] ?? 0) ^ low, high + i);
      }
    }
    this.#a = words[0] ?? 0;
    this.#b = words[1] ?? 0;
    this.#c = words[2] ?? 0;
    // sfc32 needs a few rounds until close seeds have parted.
    for (let i = 0; i < 15; i += 1) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One element of a non-empty list. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0];
  }
}

/** One multiply-xorshift round over two words. */
function mix(value: number, salt: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b) ^ Math.imul(salt + 0x165667b1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
