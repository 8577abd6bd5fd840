/**
 * Names the method of {@link Reused}. Where a read lets a record cache forward, nodes that are in the middle of a
 * record may run again; the objects that they use again for record after record are put back afterwards.
 */
export const saveState = Symbol('saveState');

/** An object that a node uses again for record after record, and that can say what it holds, to hold it again later. */
export interface Reused {
  /** Copies what the object holds; the answer puts it back. */
  [saveState](): () => void;
}

/** Whether a value must be saved before nodes may run again. */
export function isReused(value: unknown): value is Reused {
  return typeof value === 'object' && value !== null && saveState in value;
}
