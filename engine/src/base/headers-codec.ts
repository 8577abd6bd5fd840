import { StreamsError } from './errors.ts';
import type { Header } from './record-batch.ts';
import { VarintCursor, varintSize, writeVarint } from './varint.ts';

/** Bytes of the headers of one record, their count included. */
export function headersSize(headers: readonly Header[]): number {
  let size = varintSize(headers.length);
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key, 'utf8');
    size += varintSize(keyBytes) + keyBytes;
    const valueBytes = header.value === null ? -1 : header.value.length;
    size += varintSize(valueBytes) + Math.max(valueBytes, 0);
  }
  return size;
}

/** Writes count and headers; returns the position after them. The caller has made room for {@link headersSize}. */
export function writeHeaders(buffer: Buffer, position: number, headers: readonly Header[]): number {
  let at = writeVarint(buffer, position, headers.length);
  for (const header of headers) {
    at = writeVarint(buffer, at, Buffer.byteLength(header.key, 'utf8'));
    at += buffer.utf8Write(header.key, at);
    if (header.value === null) {
      at = writeVarint(buffer, at, -1);
    } else {
      at = writeVarint(buffer, at, header.value.length);
      at += header.value.copy(buffer, at);
    }
  }
  return at;
}

/** Encodes headers as a record carries them, in a buffer of their own. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const buffer = Buffer.allocUnsafe(headersSize(headers));
  writeHeaders(buffer, 0, headers);
  return buffer;
}

/**
 * Decodes the headers in `[start, end)` of a batch's buffer (`headerStarts`/`headerEnds`; a start of -1 means none). Values are
 * copies, so they outlive the batch. Throws `CORRUPT_RECORD`.
 */
export function decodeHeaders(buffer: Buffer, start: number, end: number): Header[] {
  if (start < 0) return [];
  const cursor = new VarintCursor(buffer, start, end);
  const count = cursor.varint();
  // A header takes two bytes at least: a larger count is garbage, not a reason to allocate.
  if (cursor.hasFailed || count < 0 || count * 2 > end - start) throw corruptHeaders(start);
  const headers: Header[] = [];
  for (let index = 0; index < count; index += 1) {
    const keyBytes = cursor.varint();
    const keyStart = cursor.position;
    if (cursor.hasFailed || keyBytes < 0 || keyStart + keyBytes > end) throw corruptHeaders(start);
    cursor.position = keyStart + keyBytes;
    const valueBytes = cursor.varint();
    const valueStart = cursor.position;
    if (cursor.hasFailed || valueStart + valueBytes > end) throw corruptHeaders(start);
    if (valueBytes > 0) cursor.position = valueStart + valueBytes;
    headers.push({
      key: buffer.utf8Slice(keyStart, keyStart + keyBytes),
      value: valueBytes < 0 ? null : Buffer.copyBytesFrom(buffer, valueStart, valueBytes),
    });
  }
  return headers;
}

function corruptHeaders(start: number): StreamsError {
  return new StreamsError(`Record headers at byte ${start} are malformed`, {
    code: 'CORRUPT_RECORD',
    recovery: 'fail',
  });
}
