/** Weight of the upper half of a 64-bit integer. */
const TWO_TO_32 = 0x1_0000_0000;

/**
 * Reads a big-endian int64 as a double. Exact up to ±2^53, which no offset or timestamp passes; a BigInt would be an
 * allocation per read.
 */
export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_TO_32 + buffer.readUInt32BE(position + 4);
}

/** Writes a safe integer as a big-endian int64. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_TO_32), position);
  buffer.writeUInt32BE(value >= 0 ? value % TWO_TO_32 : ((value % TWO_TO_32) + TWO_TO_32) % TWO_TO_32, position + 4);
}
