import { fileURLToPath } from 'node:url';
import type { Log } from 'millrace';
import { runner } from 'node-pg-migrate';
import type { ClientBase, Pool } from 'pg';

const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('./migrations', import.meta.url));
const MIGRATIONS_TABLE = 'platform_migrations';

/**
 * Brings a database to the current schema. Several processes may call it at once: an advisory lock lets one work at a time.
 * Uses TimescaleDB where its extension is preloaded, plain tables where it is not. Rejects when a migration fails, leaving
 * the schema as it was before that migration.
 */
export async function migrate(pool: Pool, log: Log): Promise<void> {
  const client = await pool.connect();
  let failed = true;
  try {
    await migrateWith(client, log);
    failed = false;
  } finally {
    // A connection that failed may still hold the lock: don't give it back.
    client.release(failed);
  }
}

/** Brings a database to the current schema over a connection that the caller has. */
export async function migrateWith(client: ClientBase, log: Log): Promise<void> {
  await createTimescaleExtension(client, log);
  await runner({
    dbClient: client,
    dir: MIGRATIONS_DIRECTORY,
    direction: 'up',
    migrationsTable: MIGRATIONS_TABLE,
    checkOrder: true,
    advisoryLockMode: 'wait',
    logger: {
      debug: (message) => log.debug({}, message),
      info: (message) => log.debug({}, message),
      warn: (message) => log.warn({}, message),
      error: (message) => log.error({}, message),
    },
  });
}

/** An extension that is installed but not preloaded would end the connection, so that case counts as absent. */
async function createTimescaleExtension(client: ClientBase, log: Log): Promise<void> {
  const { rows } = await client.query<{ created: boolean; usable: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS created,
            current_setting('shared_preload_libraries') LIKE '%timescaledb%'
              AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb') AS usable`,
  );
  if (rows[0]?.created === true) return;
  if (rows[0]?.usable === true) await client.query('CREATE EXTENSION IF NOT EXISTS timescaledb');
  else log.info({}, 'TimescaleDB is not preloaded in this PostgreSQL: using plain tables');
}
