import type { BinaryKey } from '../../base/bytes.ts';

/** The smallest key that is greater than this one. */
export function keyAfter(key: BinaryKey): BinaryKey {
  return `${key}\u0000` as BinaryKey;
}
