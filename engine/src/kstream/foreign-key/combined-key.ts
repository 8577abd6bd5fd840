import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { Datum } from '../../processor/datum.ts';
import type { Serde } from '../../serde/serde.ts';

const LENGTH_BYTES = 4;

/**
 * A key as this program writes it, whatever bytes it came in: whoever wrote it may have used another version of the schema, and
 * subscribers are found by bytes.
 */
export function ownBytes<K>(key: Datum<K>, serde: Serde<K>, topic: string): BinaryKey {
  return binaryKey(serde.serialize(key.get(), topic));
}

/** What all subscriptions of a foreign key begin with in their store: length of the foreign key (4 bytes, big-endian) and itself. */
export function foreignKeyPrefix(foreignKey: BinaryKey): BinaryKey {
  const { length } = foreignKey;
  const lengthText = String.fromCharCode(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
  return (lengthText + foreignKey) as BinaryKey;
}

/** A subscription's key in the store. */
export function combinedKey(foreignKey: BinaryKey, primaryKey: BinaryKey): BinaryKey {
  return (foreignKeyPrefix(foreignKey) + primaryKey) as BinaryKey;
}

/** The primary key inside a combined key. */
export function primaryKeyOf(combined: BinaryKey, foreignKey: BinaryKey): BinaryKey {
  return combined.slice(LENGTH_BYTES + foreignKey.length) as BinaryKey;
}
