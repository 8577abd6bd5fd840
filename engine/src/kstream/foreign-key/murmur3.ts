const SEED = 104_729;
const BLOCK_BYTES = 16;
/** Holds the last, incomplete block, filled up with zeros. */
const tail = Buffer.alloc(BLOCK_BYTES);

function word32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** An unsigned 64-bit number as two halves; JavaScript's bigints would take fifty times longer. Changed in place. */
class Word64 {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  /** By plain loads, which are several times faster than `readInt32LE` with its checks. */
  readLittleEndian(bytes: Uint8Array, at: number): this {
    return this.set(word32(bytes, at + 4), word32(bytes, at));
  }

  add(high: number, low: number): this {
    const sum = (this.low >>> 0) + (low >>> 0);
    const carry = sum > 0xffff_ffff ? 1 : 0;
    return this.set(this.high + high + carry, sum);
  }

  xor(other: Word64): this {
    return this.set(this.high ^ other.high, this.low ^ other.low);
  }

  multiply(high: number, low: number): this {
    const a0 = this.low & 0xffff;
    const a1 = this.low >>> 16;
    const b0 = low & 0xffff;
    const b1 = low >>> 16;
    const bottom = a0 * b0;
    const cross = a0 * b1;
    const middle = a1 * b0 + (bottom >>> 16) + (cross & 0xffff);
    const top = a1 * b1 + (cross >>> 16) + Math.floor(middle / 0x1_0000);
    return this.set(
      top + Math.imul(this.high, low) + Math.imul(this.low, high),
      ((middle & 0xffff) << 16) | (bottom & 0xffff),
    );
  }

  /** By 1 to 31 bits. */
  rotateLeft(bits: number): this {
    return this.set((this.high << bits) | (this.low >>> (32 - bits)), (this.low << bits) | (this.high >>> (32 - bits)));
  }

  swapHalves(): this {
    return this.set(this.low, this.high);
  }

  /** `x ^= x >>> 33` */
  xorShift33(): this {
    return this.set(this.high, this.low ^ (this.high >>> 1));
  }

  finish(): this {
    this.xorShift33().multiply(0xff51_afd7, 0xed55_8ccd);
    this.xorShift33().multiply(0xc4ce_b9fe, 0x1a85_ec53);
    return this.xorShift33();
  }
}

const h1 = new Word64();
const h2 = new Word64();
const k1 = new Word64();
const k2 = new Word64();

function mixFirst(): void {
  k1.multiply(0x87c3_7b91, 0x1142_53d5).rotateLeft(31).multiply(0x4cf5_ad43, 0x2745_937f);
  h1.xor(k1);
}

function mixSecond(): void {
  k2.multiply(0x4cf5_ad43, 0x2745_937f).swapHalves().rotateLeft(1).multiply(0x87c3_7b91, 0x1142_53d5);
  h2.xor(k2);
}

/**
 * Murmur3's 128-bit hash (x64) with Kafka Streams' seed, as the 16 bytes that foreign-key joins send: both halves big-endian.
 * Tells whether the left value of a foreign-key join changed while its question was on the way.
 */
export function murmur3Hash128(bytes: Buffer): Buffer {
  const { length } = bytes;
  h1.set(0, SEED);
  h2.set(0, SEED);
  const blocksEnd = length - (length % BLOCK_BYTES);
  for (let at = 0; at < blocksEnd; at += BLOCK_BYTES) {
    k1.readLittleEndian(bytes, at);
    k2.readLittleEndian(bytes, at + 8);
    mixFirst();
    h1.rotateLeft(27).add(h2.high, h2.low).multiply(0, 5).add(0, 0x52dc_e729);
    mixSecond();
    h2.rotateLeft(31).add(h1.high, h1.low).multiply(0, 5).add(0, 0x3849_5ab5);
  }
  if (blocksEnd < length) {
    tail.fill(0);
    bytes.copy(tail, 0, blocksEnd);
    k1.readLittleEndian(tail, 0);
    k2.readLittleEndian(tail, 8);
    mixSecond();
    mixFirst();
  }
  h1.set(h1.high, h1.low ^ length);
  h2.set(h2.high, h2.low ^ length);
  h1.add(h2.high, h2.low);
  h2.add(h1.high, h1.low);
  h1.finish();
  h2.finish();
  h1.add(h2.high, h2.low);
  h2.add(h1.high, h1.low);

  const hash = Buffer.allocUnsafe(BLOCK_BYTES);
  hash.writeInt32BE(h1.high, 0);
  hash.writeInt32BE(h1.low, 4);
  hash.writeInt32BE(h2.high, 8);
  hash.writeInt32BE(h2.low, 12);
  return hash;
}
