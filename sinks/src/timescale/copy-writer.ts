import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SinkRow } from './event-rows.ts';
import { faultOf, sqlState } from './postgres-errors.ts';
import { type SinkTable, type SinkTableName, sinkTables } from './tables.ts';

/** All rows of one input record: stored together or not at all. */
export interface BufferedRecord {
  /** Topic that it was read from. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /** Where in the partition it lies. */
  readonly offset: number;
  /** Its key as text; null where it has none. */
  readonly key: string | null;
  /** JSON of the event, for the dead letter. */
  readonly describe: () => string;
  /** What it becomes in SQL. */
  readonly rows: readonly SinkRow[];
}

/** A record that PostgreSQL refused. */
export interface RefusedRecord {
  /** The record, with all of its rows. */
  readonly record: BufferedRecord;
  /** PostgreSQL's SQLSTATE. */
  readonly errorCode: string;
  /** PostgreSQL's own words. */
  readonly errorMessage: string;
}

const SAVEPOINT = 'copy_part';

async function copyInto(
  client: ClientBase,
  table: SinkTable,
  lines: readonly string[],
  isPart: boolean,
): Promise<void> {
  await client.query(table.createStageSql);
  // The stage empties itself at the end of the transaction; an earlier part of the same transaction may have left rows.
  if (isPart) await client.query(`DELETE FROM ${table.stage}`);
  await pipeline(Readable.from([lines.join('')]), client.query(copyFrom(table.copySql)));
  await client.query(table.mergeSql);
}

async function storeAll(client: ClientBase, records: readonly BufferedRecord[], isPart: boolean): Promise<void> {
  const lines = new Map<SinkTableName, string[]>();
  for (const record of records) {
    for (const { table, line } of record.rows) {
      const list = lines.get(table);
      if (list === undefined) lines.set(table, [line]);
      else list.push(line);
    }
  }
  // One order for everybody: two sinks that meet in the same rows don't deadlock on tables.
  for (const name of Object.keys(sinkTables) as SinkTableName[]) {
    const list = lines.get(name);
    if (list !== undefined) await copyInto(client, sinkTables[name], list, isPart);
  }
}

/**
 * Stores the records' rows inside the open transaction of `client`: one COPY a table into a temporary table, then a merge.
 * When PostgreSQL refuses the data, the batch is halved until the refused records are alone; those are returned, all others
 * are stored. Rejects on every other error, with the transaction unusable.
 */
export async function storeRecords(
  client: ClientBase,
  records: readonly BufferedRecord[],
  isPart = false,
): Promise<RefusedRecord[]> {
  if (records.length === 0) return [];
  await client.query(`SAVEPOINT ${SAVEPOINT}`);
  try {
    await storeAll(client, records, isPart);
    await client.query(`RELEASE SAVEPOINT ${SAVEPOINT}`);
    return [];
  } catch (error) {
    if (faultOf(error) !== 'data') throw error;
    await client.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`);
    if (records.length === 1) {
      const errorMessage = error instanceof Error ? error.message : String(error);
      return [{ record: records[0] as BufferedRecord, errorCode: sqlState(error) ?? '', errorMessage }];
    }
    const half = records.length >> 1;
    const first = await storeRecords(client, records.slice(0, half), true);
    return [...first, ...(await storeRecords(client, records.slice(half), true))];
  }
}

/** Keeps refused records in `sink_dead_letters`, in the same transaction, so that they are written exactly once too. */
export async function storeDeadLetters(
  client: ClientBase,
  sink: string,
  refused: readonly RefusedRecord[],
): Promise<void> {
  for (const { record, errorCode, errorMessage } of refused) {
    await client.query(
      `INSERT INTO sink_dead_letters (sink, topic, partition, record_offset, record_key, record_value, error_code, error_message)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [
        sink,
        record.topic,
        record.partition,
        record.offset,
        printable(record.key),
        printable(record.describe()),
        errorCode,
        printable(errorMessage),
      ],
    );
  }
}

/** PostgreSQL's text can't hold NUL, which is a likely reason why a record is here. */
function printable<T extends string | null>(text: T): T {
  return (text === null ? null : text.replaceAll('\u0000', '\uFFFD')) as T;
}
