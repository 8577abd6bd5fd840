/** What an error of PostgreSQL, or of the way to it, means for a transaction. */
export type PostgresFault =
  /** The data is refused and will be every time: find the row. */
  | 'data'
  /** Connection lost, server restarting, deadlock, timeout: do it again. */
  | 'transient'
  /** Missing table, no permission and the like: somebody must look. */
  | 'fatal';

/** Connection exceptions; insufficient resources; operator intervention (shutdown, statement timeout); system errors; lock not available. */
const TRANSIENT_CLASSES = new Set(['08', '53', '57', '58', '55']);
/** Serialization failure and deadlock; a server that became a standby (the next connection finds its successor). */
const TRANSIENT_CODES = new Set(['40001', '40P01', '25006']);
/** Data exceptions and constraint violations; a value too deep or a row too wide. */
const DATA_CLASSES = new Set(['22', '23', '54']);

/** SQLSTATE of an error; undefined when it didn't come from the server. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * What an error means for the transaction that it ended; without an SQLSTATE the connection broke, which is transient.
 */
export function faultOf(error: unknown): PostgresFault {
  const state = sqlState(error);
  // No SQLSTATE: the socket broke, or the pool couldn't connect.
  if (state === undefined) return 'transient';
  if (TRANSIENT_CODES.has(state) || TRANSIENT_CLASSES.has(state.slice(0, 2))) return 'transient';
  return DATA_CLASSES.has(state.slice(0, 2)) ? 'data' : 'fatal';
}
