/**
 * Objects that nodes use again for record after record can say what they hold, to hold it again later: where a read lets a record
 * cache forward, nodes that are in the middle of a record may run again.
 */
export const saveState = Symbol('saveState');

export interface Reused {
  /** Copies what the object holds; the answer puts it back. */
  [saveState](): () => void;
}

export function isReused(value: unknown): value is Reused {
  return typeof value === 'object' && value !== null && saveState in value;
}
