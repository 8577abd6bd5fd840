import { randomUUID } from 'node:crypto';
import { useTestStack } from '@chip-quality/dev/testing';
import { type ArtifactRef, type Part, type ProjectedEvent, topics } from '@chip-quality/schemas';
import { type OffsetStoringSink, Record, type StreamsError } from 'millrace';
import { Pool, type PoolClient } from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTimescaleSink, migrate, type RefusedRecord } from '../../src/index.ts';
import { artifactEvent, defect, inferenceEvent, inspectionEvent, lotEvent, partEvent } from '../support/events.ts';

const stack = useTestStack(['postgres']);
const log = { debug() {}, info() {}, warn() {}, error() {} };
let pool: Pool;

beforeAll(async () => {
  pool = new Pool({ connectionString: await stack.createDatabase(), max: 20 });
  pool.on('error', () => undefined);
  await Promise.all([migrate(pool, log), migrate(pool, log)]);
  await migrate(pool, log);
  return async () => {
    await pool.end();
  };
});

interface OpenSink {
  readonly sink: OffsetStoringSink<string, ProjectedEvent | null>;
  readonly name: string;
  readonly dead: RefusedRecord[];
  put(topic: string, offset: number, event: ProjectedEvent | null): void;
}

const open: OpenSink[] = [];
afterEach(async () => {
  for (const { sink } of open.splice(0)) await sink.close();
});

const partitions = [
  topics.inspectionLifecycle,
  topics.artifactManagement,
  topics.inferenceWorkflow,
  topics.catalogEvents,
].map((topic) => ({ topic, partition: 0 }));

async function openSink(
  name: string = randomUUID(),
  from: Pool = pool,
): Promise<OpenSink & { stored: Map<string, number> }> {
  const dead: RefusedRecord[] = [];
  const sink = createTimescaleSink({ pool: from, name, log, onDeadLetter: (refused) => dead.push(refused) });
  const stored = new Map(await sink.open(partitions, '0_0'));
  const opened = {
    sink,
    name,
    dead,
    stored,
    put: (topic: string, offset: number, event: ProjectedEvent | null) =>
      sink.write(new Record<string, ProjectedEvent | null>('key', event, 0), { topic, partition: 0, offset }),
  };
  open.push(opened);
  return opened;
}

const at = (topic: string, next: number) => new Map([[`${topic}-0`, next]]);

async function count(sql: string, ...parameters: unknown[]): Promise<number> {
  return Number((await pool.query(`SELECT count(*) FROM ${sql}`, parameters)).rows[0].count);
}

test('events of every topic become rows, and the position comes back when the sink is opened again', async () => {
  const { sink, name, put, stored } = await openSink();
  expect(stored.size).toBe(0);
  const second_opinion = { label: 'background', defect_type: null, probability: 0.75, disagrees: true };
  const found = defect({ second_opinion });
  const created = inspectionEvent({ metadata: '{"note":"tab\\t and \\\\ and ☃"}', chip_id: 'c\\t\t\n' });
  const id = created.payload.inspection_id;
  const completed = inspectionEvent(
    {
      ...created.payload,
      revision: 3,
      status: 'completed',
      verdict: 'fail',
      attempt: 1,
      defects: [found],
      completed_at: 1e12,
    },
    { event_type: 'inspection.completed' },
  );
  const inference = inferenceEvent([found, defect()]);
  const part = partEvent();
  const lot = lotEvent();
  const artifact = artifactEvent();
  put(topics.inspectionLifecycle, 0, created);
  put(topics.inspectionLifecycle, 1, completed);
  put(topics.inferenceWorkflow, 0, inference);
  put(topics.catalogEvents, 0, part);
  put(topics.catalogEvents, 1, lot);
  put(topics.artifactManagement, 0, artifact);
  put(topics.artifactManagement, 1, null);
  const positions = new Map([
    [`${topics.inspectionLifecycle}-0`, 2],
    [`${topics.inferenceWorkflow}-0`, 1],
    [`${topics.catalogEvents}-0`, 2],
    [`${topics.artifactManagement}-0`, 2],
  ]);
  await sink.commit(positions);

  const { rows } = await pool.query('SELECT * FROM inspections WHERE id = $1', [id]);
  expect(rows).toMatchObject([
    {
      status: 'completed',
      verdict: 'fail',
      attempts: 1,
      chip_id: 'c\\t\t\n',
      metadata: { note: 'tab\t and \\ and ☃' },
      defects_detected: 1,
    },
  ]);
  expect(rows[0].completed_at.getTime()).toBe(1e12);
  expect(await count('inspection_events WHERE inspection_id = $1', id)).toBe(2);
  expect(await count('defects WHERE inspection_id = $1', id)).toBe(1);
  const doubted = await pool.query(
    'SELECT second_opinion FROM predictions WHERE second_opinion @> \'{"disagrees": true}\' AND job_id = $1',
    [inference.payload.job_id],
  );
  expect(doubted.rows).toEqual([{ second_opinion }]);
  expect(await count('predictions WHERE job_id = $1', inference.payload.job_id)).toBe(2);
  const stored2 = await pool.query('SELECT * FROM inferences WHERE id = $1', [inference.payload.job_id]);
  expect(stored2.rows).toMatchObject([
    { status: 'completed', batch_size: 8, input_artifacts: inference.payload.artifacts.map((a) => a.artifact_id) },
  ]);
  expect(await count('parts WHERE id = $1', part.payload.part?.id)).toBe(1);
  expect(await count('lots WHERE id = $1', lot.payload.lot?.id)).toBe(1);
  expect(await count('artifacts WHERE id = $1', artifact.payload.artifact.artifact_id)).toBe(1);

  expect((await openSink(name)).stored).toEqual(positions);
});

test('an older revision never overwrites a newer one, whatever the order of arrival', async () => {
  const { sink, put } = await openSink();
  const newer = inspectionEvent({ revision: 5, status: 'completed' });
  const older = inspectionEvent({ ...newer.payload, revision: 2, status: 'in_progress' });
  const status = async () =>
    (await pool.query('SELECT status FROM inspections WHERE id = $1', [newer.payload.inspection_id])).rows[0].status;
  put(topics.inspectionLifecycle, 0, newer);
  put(topics.inspectionLifecycle, 1, older);
  await sink.commit(at(topics.inspectionLifecycle, 2));
  expect(await status()).toBe('completed');
  put(topics.inspectionLifecycle, 2, older);
  await sink.commit(at(topics.inspectionLifecycle, 3));
  expect(await status()).toBe('completed');
});

test('a golden image that is confirmed anew under its id is stored as it is now', async () => {
  const { sink, put } = await openSink();
  const first = partEvent();
  const part = first.payload.part as Part;
  const golden = { ...(part.golden as ArtifactRef), checksum: 'f'.repeat(32) };
  const renewed = { ...part, golden, revision: part.revision + 1, updated_at: part.updated_at + 1_000 };
  put(topics.catalogEvents, 0, first);
  await sink.commit(at(topics.catalogEvents, 1));
  put(topics.catalogEvents, 1, { ...first, payload: { part: renewed, lot: null } });
  put(topics.catalogEvents, 2, first);
  await sink.commit(at(topics.catalogEvents, 3));
  expect(await count('artifacts WHERE id = $1 AND checksum = $2', golden.artifact_id, golden.checksum)).toBe(1);
});

test('the same events once more change nothing', async () => {
  const first = await openSink();
  const events = Array.from({ length: 20 }, () => inspectionEvent());
  for (const [offset, event] of events.entries()) first.put(topics.inspectionLifecycle, offset, event);
  await first.sink.commit(at(topics.inspectionLifecycle, 20));
  const rebuilt = await openSink();
  for (const [offset, event] of events.entries()) rebuilt.put(topics.inspectionLifecycle, offset, event);
  await rebuilt.sink.commit(at(topics.inspectionLifecycle, 20));
  expect(
    await count(
      'inspection_events WHERE event_id = ANY($1)',
      events.map((event) => event.event_id),
    ),
  ).toBe(20);
});

test('what is written while a commit runs belongs to the next commit', async () => {
  const { sink, put } = await openSink();
  const events = [inspectionEvent(), inspectionEvent()] as const;
  put(topics.inspectionLifecycle, 0, events[0]);
  const committing = sink.commit(at(topics.inspectionLifecycle, 1));
  put(topics.inspectionLifecycle, 1, events[1]);
  await committing;
  expect(await count('inspection_events WHERE event_id = $1', events[1].event_id)).toBe(0);
  await sink.commit(at(topics.inspectionLifecycle, 2));
  expect(await count('inspection_events WHERE event_id = $1', events[1].event_id)).toBe(1);
});

test('an owner that was replaced writes nothing and is told to migrate', async () => {
  const old = await openSink();
  const event = inspectionEvent();
  old.put(topics.inspectionLifecycle, 0, event);
  await openSink(old.name);
  await expect(old.sink.commit(at(topics.inspectionLifecycle, 1))).rejects.toMatchObject({
    code: 'FENCED',
    recovery: 'migrate',
  } satisfies Partial<StreamsError>);
  expect(await count('inspection_events WHERE event_id = $1', event.event_id)).toBe(0);
});

describe('rows that PostgreSQL refuses', () => {
  test('go to the dead letters with the reason; all their neighbours are stored', async () => {
    const { sink, put, dead, name } = await openSink();
    const events = Array.from({ length: 37 }, (_, index) =>
      inspectionEvent(
        index === 5
          ? { chip_id: 'nul \u0000 byte' }
          : index === 20
            ? { metadata: 'not json' }
            : index === 36
              ? { chip_id: 'x'.repeat(101) }
              : {},
      ),
    );
    for (const [offset, event] of events.entries()) put(topics.inspectionLifecycle, offset, event);
    await sink.commit(at(topics.inspectionLifecycle, 37));
    expect(dead.map(({ record }) => record.offset)).toEqual([5, 20, 36]);
    expect(
      await count(
        'inspection_events WHERE event_id = ANY($1)',
        events.map((event) => event.event_id),
      ),
    ).toBe(34);
    const { rows } = await pool.query(
      'SELECT record_offset, error_code, record_value FROM sink_dead_letters WHERE sink = $1 ORDER BY record_offset',
      [name],
    );
    expect(rows.map((row) => [row.record_offset, row.error_code])).toEqual([
      ['5', '22021'],
      ['20', '22P02'],
      ['36', '22001'],
    ]);
    expect(JSON.parse(rows[1].record_value)).toEqual(events[20]);
  });

  test('do not stop the next commit', async () => {
    const { sink, put } = await openSink();
    put(topics.inspectionLifecycle, 0, inspectionEvent({ metadata: '{' }));
    await sink.commit(at(topics.inspectionLifecycle, 1));
    const event = inspectionEvent();
    put(topics.inspectionLifecycle, 1, event);
    await sink.commit(at(topics.inspectionLifecycle, 2));
    expect(await count('inspection_events WHERE event_id = $1', event.event_id)).toBe(1);
  });
});

describe('a lost connection', () => {
  const killBackends = () =>
    pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );

  test('between commits is replaced and the rows are stored once', async () => {
    const { sink, put } = await openSink();
    const events = [inspectionEvent(), inspectionEvent()] as const;
    put(topics.inspectionLifecycle, 0, events[0]);
    await sink.commit(at(topics.inspectionLifecycle, 1));
    await killBackends();
    put(topics.inspectionLifecycle, 1, events[1]);
    await sink.commit(at(topics.inspectionLifecycle, 2));
    expect(
      await count(
        'inspection_events WHERE event_id = ANY($1)',
        events.map((event) => event.event_id),
      ),
    ).toBe(2);
  });

  test('after COMMIT was sent but before its answer came does not fence the sink out or write twice', async () => {
    // A pool whose connections lose the answer of the first COMMIT after a write.
    let lose = false;
    const flaky = {
      async connect(): Promise<PoolClient> {
        const client = await pool.connect();
        const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
        return new Proxy(client, {
          get(target, property) {
            if (property === 'query') {
              return (...args: unknown[]) => {
                const answer = query(...args);
                if (args[0] !== 'COMMIT' || !lose) return answer;
                lose = false;
                return answer.then(() => {
                  throw new Error('Connection terminated unexpectedly');
                });
              };
            }
            const value = Reflect.get(target, property) as unknown;
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
      },
    } as unknown as Pool;
    const { sink, put } = await openSink(randomUUID(), flaky);
    const events = [inspectionEvent(), inspectionEvent()] as const;
    put(topics.inspectionLifecycle, 0, events[0]);
    lose = true;
    await sink.commit(at(topics.inspectionLifecycle, 1));
    expect(lose).toBe(false);
    put(topics.inspectionLifecycle, 1, events[1]);
    await sink.commit(at(topics.inspectionLifecycle, 2));
    expect(
      await count(
        'inspection_events WHERE event_id = ANY($1)',
        events.map((event) => event.event_id),
      ),
    ).toBe(2);
  });

  test('that does not come back ends in an error that asks the supervisor to retry', async () => {
    const away = new Pool({ host: '127.0.0.1', port: 9, user: 'nobody', connectionTimeoutMillis: 200 });
    const sink = createTimescaleSink({ pool: away, name: 'away', log });
    await expect(sink.open(partitions, '0_0')).rejects.toMatchObject({ recovery: 'retry' });
    await away.end();
  }, 30_000);
});

test('the buffer asks for a commit before it grows without bound, and a full one is stored', async () => {
  const { sink, put } = await openSink();
  const ids: string[] = [];
  while (!sink.isFull) {
    const event = inspectionEvent();
    put(topics.inspectionLifecycle, ids.length, event);
    ids.push(event.event_id);
  }
  expect(ids.length).toBeGreaterThan(5_000);
  expect(ids.length).toBeLessThanOrEqual(10_000);
  await sink.commit(at(topics.inspectionLifecycle, ids.length));
  expect(sink.isFull).toBe(false);
  expect(await count('inspection_events WHERE event_id = ANY($1)', ids)).toBe(ids.length);
});

test('metrics older than the retention are deleted in bounded steps where TimescaleDB does not do it', async () => {
  await pool.query(
    `INSERT INTO system_metrics (time, service_name, metric_name, metric_value)
     SELECT now() - (n || ' days')::interval, 's', 'm', n FROM generate_series(1, 100) n`,
  );
  const { rows } = await pool.query('SELECT apply_retention(4) AS first, (SELECT apply_retention(4)) AS second');
  expect(Number(rows[0].first) + Number(rows[0].second)).toBeGreaterThan(0);
  while (Number((await pool.query('SELECT apply_retention(100) AS n')).rows[0].n) > 0);
  expect(await count("system_metrics WHERE time < now() - INTERVAL '90 days'")).toBe(0);
  expect(await count('system_metrics_hourly')).toBeGreaterThan(80);
});
