const SEED = 0x9747b28c | 0;
const MULTIPLIER = 0x5bd1e995;

/** Kafka's murmur2 of bytes `[start, end)`, a signed int32. */
export function murmur2(buffer: Uint8Array, start = 0, end: number = buffer.length): number {
  const length = end - start;
  let hash = SEED ^ length;
  let at = start;
  for (const wordsEnd = start + (length & ~3); at < wordsEnd; at += 4) {
    const word =
      (buffer[at] as number) |
      ((buffer[at + 1] as number) << 8) |
      ((buffer[at + 2] as number) << 16) |
      ((buffer[at + 3] as number) << 24);
    hash = mixWord(hash, word);
  }
  const rest = length & 3;
  if (rest > 2) hash ^= (buffer[at + 2] as number) << 16;
  if (rest > 1) hash ^= (buffer[at + 1] as number) << 8;
  if (rest > 0) hash = Math.imul(hash ^ (buffer[at] as number), MULTIPLIER);
  return finish(hash);
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(word, MULTIPLIER);
  mixed = Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
  return Math.imul(hash, MULTIPLIER) ^ mixed;
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return mixed ^ (mixed >>> 15);
}

/** The partition that Kafka's default partitioner gives key bytes `[start, end)`. */
export function partitionForBytes(buffer: Uint8Array, start: number, end: number, partitionCount: number): number {
  return (murmur2(buffer, start, end) & 0x7fffffff) % partitionCount;
}
