/** 64-bit integers of the protocol as doubles: exact up to 2^53, which no offset or timestamp passes. BigInt would allocate. */
const TWO_TO_32 = 0x1_0000_0000;

export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_TO_32 + buffer.readUInt32BE(position + 4);
}

export function writeInt64(buffer: Buffer, value: number, position: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_TO_32), position);
  buffer.writeUInt32BE(value >= 0 ? value % TWO_TO_32 : ((value % TWO_TO_32) + TWO_TO_32) % TWO_TO_32, position + 4);
}
