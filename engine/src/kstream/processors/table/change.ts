import { Datum } from '../../../processor/datum.ts';
import { type Reused, saveState } from '../../../processor/reused.ts';

/**
 * What records of a table carry: the new value of a key and, where somebody below needs it, the one before. Null means: no
 * such value. Reused by the node that owns it, like the records themselves.
 */
export class Change<V> implements Reused {
  /** The new value, decoded when somebody looks; a null datum says that the key was deleted. */
  newDatum = new Datum<V>();
  /** The value before, where somebody below needs it; else a null datum. */
  oldDatum = new Datum<V>();
  /** False where a versioned table above kept the value as history only: the newest value is another one. */
  isLatest = true;

  /** The new value, decoded. Throws `DESERIALIZATION` where its bytes can't be read. */
  get newValue(): V {
    return this.newDatum.get();
  }

  /** The value before, decoded. Throws `DESERIALIZATION` where its bytes can't be read. */
  get oldValue(): V {
    return this.oldDatum.get();
  }

  [saveState](): () => void {
    const { newDatum, oldDatum, isLatest } = this;
    const restoreNew = newDatum[saveState]();
    const restoreOld = oldDatum[saveState]();
    return () => {
      this.newDatum = newDatum;
      this.oldDatum = oldDatum;
      this.isLatest = isLatest;
      restoreNew();
      restoreOld();
    };
  }
}
