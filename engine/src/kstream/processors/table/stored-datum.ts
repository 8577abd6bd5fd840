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
  datum.setBytes(stored.value, 0, stored.value.length, serde, topic);
  return stored.timestampMs;
}

/** Bytes of a new object for a store; the datum keeps them too, so that a sink of the same format writes them as they are. */
export function encodeForStore<V>(datum: Datum<V>, serde: Serde<V>, topic: string): Buffer | null {
  if (datum.isNull) return null;
  if (datum.hasBytes) return datum.copyBytes(serde, topic);
  datum.encode(serde, topic);
  return datum.buffer;
}
