const magicByte = 2;
const headerBytes = 9;

/**
 * The metadata string that Kafka Streams commits with an offset: base64 of version 2, partition time (8 bytes, big endian),
 * processor metadata. A Java application that takes over reads it, and the reverse.
 */
export function encodeCommitMetadata(partitionTimeMs: number): string {
  const bytes = Buffer.alloc(headerBytes);
  bytes[0] = magicByte;
  bytes.writeBigInt64BE(BigInt(partitionTimeMs), 1);
  return bytes.toString('base64');
}

/** Partition time in ms; -1 for anything that isn't such a string (another client's commit), as in Kafka Streams. */
export function decodePartitionTimeMs(metadata: string): number {
  const bytes = Buffer.from(metadata, 'base64');
  // Version 1 has the same first nine bytes without processor metadata.
  if (bytes.length < headerBytes || (bytes[0] !== magicByte && bytes[0] !== 1)) return -1;
  return Number(bytes.readBigInt64BE(1));
}
