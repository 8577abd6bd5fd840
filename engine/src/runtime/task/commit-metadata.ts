const MAGIC_BYTE = 2;
const HEADER_BYTES = 9;
const LENGTH_BYTES = 4;
const VALUE_BYTES = 8;
const noMetadata: ReadonlyMap<string, number> = new Map();

/**
 * The metadata string that Kafka Streams commits with an offset: base64 of version 2, partition time (8 bytes, big endian),
 * processor metadata (nothing where there is none, else a count, then length, name, value of each). A Java application that takes
 * over reads it, and the reverse.
 */
export function encodeCommitMetadata(
  partitionTimeMs: number,
  processorMetadata: ReadonlyMap<string, number> = noMetadata,
): string {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = MAGIC_BYTE;
  header.writeBigInt64BE(BigInt(partitionTimeMs), 1);
  if (processorMetadata.size === 0) return header.toString('base64');
  const count = Buffer.alloc(LENGTH_BYTES);
  count.writeInt32BE(processorMetadata.size);
  const chunks = [header, count];
  for (const [name, value] of processorMetadata) {
    const nameBytes = Buffer.byteLength(name);
    const entry = Buffer.alloc(LENGTH_BYTES + nameBytes + VALUE_BYTES);
    entry.writeInt32BE(nameBytes);
    entry.write(name, LENGTH_BYTES);
    entry.writeBigInt64BE(BigInt(value), LENGTH_BYTES + nameBytes);
    chunks.push(entry);
  }
  return Buffer.concat(chunks).toString('base64');
}

/** Partition time in ms; -1 for anything that isn't such a string (another client's commit), as in Kafka Streams. */
export function decodePartitionTimeMs(metadata: string): number {
  const bytes = Buffer.from(metadata, 'base64');
  // Version 1 has the same first nine bytes without processor metadata.
  if (bytes.length < HEADER_BYTES || (bytes[0] !== MAGIC_BYTE && bytes[0] !== 1)) return -1;
  return Number(bytes.readBigInt64BE(1));
}

/** What the nodes kept with the offset; nothing for anything that can't be read. */
export function decodeProcessorMetadata(metadata: string): ReadonlyMap<string, number> {
  const bytes = Buffer.from(metadata, 'base64');
  if (bytes[0] !== MAGIC_BYTE || bytes.length < HEADER_BYTES + LENGTH_BYTES) return noMetadata;
  const values = new Map<string, number>();
  let position = HEADER_BYTES + LENGTH_BYTES;
  for (let left = bytes.readInt32BE(HEADER_BYTES); left > 0; left -= 1) {
    if (position + LENGTH_BYTES > bytes.length) return noMetadata;
    const nameEnd = position + LENGTH_BYTES + bytes.readInt32BE(position);
    if (nameEnd < position + LENGTH_BYTES || nameEnd + VALUE_BYTES > bytes.length) return noMetadata;
    const name = bytes.toString('utf8', position + LENGTH_BYTES, nameEnd);
    values.set(name, Number(bytes.readBigInt64BE(nameEnd)));
    position = nameEnd + VALUE_BYTES;
  }
  return values;
}

/** Several partitions tell the same names: the highest value counts, as in Kafka Streams. */
export function mergeProcessorMetadata(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, value] of from) into.set(name, Math.max(value, into.get(name) ?? value));
}
