import type { Log } from 'millrace';
import type { Pool } from 'pg';
import type { Component } from './component.ts';

/** Where there is no TimescaleDB, old metrics are deleted by us: this often, this many rows a statement. */
const EVERY_MS = 3_600_000;
const ROWS_MAX = 10_000;

/** Deletes rows that are older than they are kept, once an hour. */
export function retention(pool: Pool, log: Log): Component {
  let timer: NodeJS.Timeout | undefined;
  const apply = () =>
    deleteOld(pool).catch((error: unknown) =>
      log.warn({ err: error }, 'Deleting old metrics failed; tried again in an hour'),
    );
  return {
    name: 'retention',
    start: () => {
      timer = setInterval(apply, EVERY_MS).unref();
    },
    close: () => clearInterval(timer),
  };
}

/** Until nothing old is left. */
async function deleteOld(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ gone: string }>('SELECT apply_retention($1) AS gone', [ROWS_MAX]);
    if (Number(rows[0]?.gone ?? 0) === 0) return;
  }
}
