import type { ListPosition } from '@chip-quality/schemas';

const DECODED = /^(\d{1,15})\.([0-9a-f-]{36})$/;

/** Opaque to clients: base64url of time and id of the last item of a page. */
export function encodeCursor(position: ListPosition): string {
  return Buffer.from(`${position.createdAtMs}.${position.id}`).toString('base64url');
}

/** Undefined for anything that {@link encodeCursor} did not make. */
export function decodeCursor(cursor: string): ListPosition | undefined {
  const [, createdAtMs, id] = DECODED.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (createdAtMs === undefined || id === undefined) return undefined;
  const position = { createdAtMs: Number(createdAtMs), id };
  return encodeCursor(position) === cursor ? position : undefined;
}
