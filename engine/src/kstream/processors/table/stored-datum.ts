import type { Datum } from '../../../processor/datum.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { StoredValue } from '../../../state/state-store.ts';

/**
 * Points a datum at what a store holds (null where it holds nothing), to be decoded only when somebody asks. Answers the value's
 * timestamp, -1 where there is none.
 */
export function setStored<V>(datum: Datum<V>, stored: StoredValue | undefined, serde: Serde<V>, topic: string): number {
  if (stored === undefined) {
    datum.setNull();
    return -1;
  }
  datum.setBytes(stored.value, 0, stored.value.length, serde, topic, true);
  return stored.timestampMs;
}

/**
 * Bytes for a store: readable, and as this program writes them, whoever wrote those at hand. Of a new object the datum keeps them too,
 * so that a sink of the same format writes them as they are. Throws {@link DeserializationError} for what can't be read.
 */
export function encodeForStore<V>(datum: Datum<V>, serde: Serde<V>, topic: string): Buffer | null {
  if (datum.hasBytes) return datum.copyBytes(serde, topic);
  datum.encode(serde, topic);
  return datum.isNull ? null : datum.buffer;
}
