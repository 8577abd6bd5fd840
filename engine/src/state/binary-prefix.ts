import type { BinaryKey } from '../base/bytes.ts';

/** The smallest key that is greater than every key with this prefix; undefined when there is none (all bytes 0xff). */
export function prefixEnd(prefix: BinaryKey): BinaryKey | undefined {
  for (let length = prefix.length; length > 0; length -= 1) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xff) return (prefix.slice(0, length - 1) + String.fromCharCode(last + 1)) as BinaryKey;
  }
  return undefined;
}
