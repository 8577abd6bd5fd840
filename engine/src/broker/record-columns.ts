/** Smallest columns made: a fetch of a quiet topic. */
const CAPACITY_MIN = 256;
/** Column sets kept for reuse; more are only in flight when many partitions are read at once. */
const KEPT_MAX = 32;

/** The typed arrays of one batch. */
export class RecordColumns {
  /** Rows that fit. */
  readonly capacity: number;
  /** Offset of each record. */
  readonly offsets: Float64Array;
  /** Epoch ms. */
  readonly timestamps: Float64Array;
  /** Where each key begins in the batch's buffer; -1: null. */
  readonly keyStarts: Int32Array;
  /** Where each key ends, exclusive. */
  readonly keyEnds: Int32Array;
  /** Where each value begins; -1: null. */
  readonly valueStarts: Int32Array;
  /** Where each value ends, exclusive. */
  readonly valueEnds: Int32Array;
  /** Where each record's headers begin, with their count. */
  readonly headerStarts: Int32Array;
  /** Where they end, exclusive. */
  readonly headerEnds: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.offsets = new Float64Array(capacity);
    this.timestamps = new Float64Array(capacity);
    this.keyStarts = new Int32Array(capacity);
    this.keyEnds = new Int32Array(capacity);
    this.valueStarts = new Int32Array(capacity);
    this.valueEnds = new Int32Array(capacity);
    this.headerStarts = new Int32Array(capacity);
    this.headerEnds = new Int32Array(capacity);
  }
}

/**
 * Column sets for reuse. Capacities are powers of two, so that sets fit again.
 *
 * Owns: sets that nobody uses. Called by: the record batch reader.
 * Invariants: I1 a set is pooled or used, never both.
 */
export class ColumnPool {
  readonly #free: RecordColumns[] = [];

  /** Columns with room for so many rows; their content is left over from earlier use. */
  acquire(rows: number): RecordColumns {
    for (let index = this.#free.length - 1; index >= 0; index -= 1) {
      const columns = this.#free[index] as RecordColumns;
      if (columns.capacity >= rows) {
        this.#free.splice(index, 1);
        return columns;
      }
    }
    let capacity = CAPACITY_MIN;
    while (capacity < rows) capacity *= 2;
    return new RecordColumns(capacity);
  }

  /** The caller may not touch the columns afterwards. */
  giveBack(columns: RecordColumns): void {
    if (this.#free.length < KEPT_MAX) this.#free.push(columns);
    else if (columns.capacity > (this.#free[0] as RecordColumns).capacity) this.#free[0] = columns;
  }
}
