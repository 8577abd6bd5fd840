declare global {
  /** Methods that Node has on every Buffer and leaves out of its type declarations; they skip the encoding look-up of `toString`. */
  interface Buffer {
    /** Decodes bytes `[start, end)`, one char per byte. */
    latin1Slice(start?: number, end?: number): string;
    /** Decodes bytes `[start, end)` as UTF-8; malformed sequences become U+FFFD. */
    utf8Slice(start?: number, end?: number): string;
    /** Writes one byte per char and returns how many were written; chars above 255 lose their upper byte. */
    latin1Write(text: string, offset?: number, length?: number): number;
    /** Writes UTF-8 and returns how many bytes were written; a char that doesn't fit whole is left out. */
    utf8Write(text: string, offset?: number, length?: number): number;
  }
}

declare const binaryKeyBrand: unique symbol;

/**
 * Serialized key bytes held as a string of one char per byte (latin1). Strings are immutable and hashable, and their
 * `<` is the unsigned byte order that Kafka Streams' stores iterate in: one serves as map key, tree key and prefix
 * without a copy.
 */
export type BinaryKey = string & { readonly [binaryKeyBrand]: true };

/** Reads bytes `[start, end)` of a buffer as a {@link BinaryKey}. */
export function binaryKey(buffer: Buffer, start = 0, end: number = buffer.length): BinaryKey {
  return buffer.latin1Slice(start, end) as BinaryKey;
}

/** The bytes of a {@link BinaryKey}, in a buffer of their own. */
export function bytesOf(key: BinaryKey): Buffer {
  return Buffer.from(key, 'latin1');
}
