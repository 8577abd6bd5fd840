import { Datum } from '../../../processor/datum.ts';
import { type Reused, saveState } from '../../../processor/reused.ts';

/**
 * What records of a table carry: the new value of a key and, where somebody below needs it, the one before. Null means: no
 * such value. Reused by the node that owns it, like the records themselves.
 */
export class Change<V> implements Reused {
  newDatum = new Datum<V>();
  oldDatum = new Datum<V>();
  /** False where a versioned table above kept the value as history only: the newest value is another one. */
  isLatest = true;

  get newValue(): V {
    return this.newDatum.get();
  }

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
