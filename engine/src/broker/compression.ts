import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compressSync, uncompressSync } from 'snappy';
import { StreamsError } from '../base/errors.ts';
import type { Compression } from './broker.ts';

/** Names by the codec number in a batch's attributes. */
export const COMPRESSION_BY_CODEC: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** A batch that unpacks to more is taken for an attack or garbage: brokers accept about 1 MB packed by default. */
const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;
/** Kafka's Java client writes snappy in blocks of this size inside the framing of snappy-java. */
const SNAPPY_BLOCK_BYTES = 32 * 1024;
/** `\x82SNAPPY\0`, version 1, compatible with version 1. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const XERIAL_MAGIC_BYTES = 8;
const GZIP_LEVEL = constants.Z_DEFAULT_COMPRESSION;

/** Packs the records of a batch. */
export function compress(records: Buffer, compression: Exclude<Compression, 'none'>): Buffer {
  switch (compression) {
    case 'gzip':
      return gzipSync(records, { level: GZIP_LEVEL });
    case 'snappy':
      return compressSnappy(records);
    case 'lz4':
      return compressFrameSync(records);
    case 'zstd':
      return zstdCompressSync(records);
  }
}

/** Unpacks the records of a batch; throws `CORRUPT_RECORD`. */
export function decompress(packed: Buffer, compression: Exclude<Compression, 'none'>): Buffer {
  try {
    switch (compression) {
      case 'gzip':
        return gunzipSync(packed, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
      case 'snappy':
        return decompressSnappy(packed);
      case 'lz4':
        return decompressFrameSync(packed);
      case 'zstd':
        return zstdDecompressSync(packed, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
    }
  } catch (cause) {
    throw new StreamsError(`A ${compression} batch can't be unpacked`, {
      code: 'CORRUPT_RECORD',
      recovery: 'fail',
      cause,
    });
  }
}

function compressSnappy(records: Buffer): Buffer {
  const chunks: Buffer[] = [XERIAL_HEADER];
  for (let start = 0; start < records.length; start += SNAPPY_BLOCK_BYTES) {
    const block = compressSync(records.subarray(start, start + SNAPPY_BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length, 0);
    chunks.push(length, block);
  }
  return Buffer.concat(chunks);
}

/** Some clients write bare snappy without snappy-java's framing: both are read. */
function decompressSnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, XERIAL_MAGIC_BYTES).equals(XERIAL_HEADER.subarray(0, XERIAL_MAGIC_BYTES))) {
    return unpackSnappyBlock(packed, DECOMPRESSED_BYTES_MAX);
  }
  const chunks: Buffer[] = [];
  let room = DECOMPRESSED_BYTES_MAX;
  let at = XERIAL_HEADER.length;
  while (at < packed.length) {
    const length = packed.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > packed.length) throw new RangeError(`snappy block of ${length} bytes at ${at}`);
    const block = unpackSnappyBlock(packed.subarray(at, at + length), room);
    room -= block.length;
    chunks.push(block);
    at += length;
  }
  return Buffer.concat(chunks);
}

function unpackSnappyBlock(block: Buffer, room: number): Buffer {
  // The block begins with its unpacked length: checked before anything is allocated for it.
  let length = 0;
  for (let index = 0, scale = 1; index < 5; index++, scale *= 0x80) {
    const byte = block[index] ?? 0;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (length > room) throw new RangeError(`snappy block claims ${length} bytes`);
  return uncompressSync(block) as Buffer;
}
