import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type ProjectedEvent } from '@chip-quality/schemas';
import {
  type Log,
  type OffsetStoringSink,
  type Record,
  type RecordMetadata,
  StreamsError,
  type TopicPartition,
} from 'millrace';
import type { Pool, PoolClient } from 'pg';
import { type BufferedRecord, type RefusedRecord, storeDeadLetters, storeRecords } from './copy-writer.ts';
import { rowsOf } from './event-rows.ts';
import { faultOf } from './postgres-errors.ts';
import { type Advance, advanceOffsets, type OwnedPartition, takeOver } from './sink-offsets.ts';

/** A commit is asked for above these: what a COPY of a second takes, and what memory a task may hold (UTF-16: twice as much). */
const BUFFER_ROWS_MAX = 20_000;
const BUFFER_CHARS_MAX = 8 * 1024 * 1024;
/** A COPY of a full buffer takes about a second; a minute means the server is stuck. */
const STATEMENT_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
/** Beyond it the connection is torn down: a server that vanished from the network answers nothing, not even an error. */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** Six tries over about ten seconds ride out a restart of PostgreSQL; then the engine's supervisor decides. */
const ATTEMPTS_MAX = 6;
const BACKOFF = { minMs: 200, maxMs: 5_000 };

/** Where rows go, and who is told of those that don't. */
export interface TimescaleSinkOptions {
  /** Connections to PostgreSQL; the caller ends it. */
  readonly pool: Pool;
  /** Identifies the sink in `sink_offsets`: a new name projects everything again. */
  readonly name: string;
  /** Told of retries and refused records. */
  readonly log: Log;
  /** Told about each refused record after it was stored in `sink_dead_letters`. */
  readonly onDeadLetter?: (refused: RefusedRecord) => void;
}

/**
 * Writes events to PostgreSQL exactly once: rows and input positions in one transaction, whatever dies between.
 *
 * Owns: the rows buffered since the last commit, and one connection.
 * Called by: a stream task, one sink a task.
 * Invariants: I1 positions advance by compare-and-set in the transaction that stores the rows, so a fenced owner writes nothing;
 * I2 rows of one record are stored together or not at all; I3 a refused record lands in `sink_dead_letters` in the same
 * transaction, never nowhere; I4 a commit whose answer was lost is recognised and not repeated; I5 records leave the buffer
 * only with a commit that succeeded, and what is written while it runs stays for the next.
 */
class TimescaleSink implements OffsetStoringSink<string, ProjectedEvent | null> {
  readonly #options: TimescaleSinkOptions;
  readonly #owned = new Map<string, OwnedPartition>();
  #client: PoolClient | undefined;
  #records: BufferedRecord[] = [];
  #rows = 0;
  #chars = 0;
  #isClosed = false;

  constructor(options: TimescaleSinkOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#rows >= BUFFER_ROWS_MAX || this.#chars >= BUFFER_CHARS_MAX;
  }

  async open(partitions: readonly TopicPartition[], taskId: string): Promise<ReadonlyMap<string, number>> {
    return this.#withRetries(`opening the SQL sink of task ${taskId}`, async (client) => {
      await client.query('BEGIN');
      // Sorted, so that two tasks opening at once take the row locks in one order.
      const sorted = [...partitions].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
      const owned = new Map<string, OwnedPartition>();
      for (const { topic, partition } of sorted) {
        owned.set(`${topic}-${partition}`, await takeOver(client, this.#options.name, topic, partition));
      }
      await client.query('COMMIT');
      this.#owned.clear();
      for (const [key, value] of owned) this.#owned.set(key, value);
      return new Map([...owned].filter(([, { nextOffset }]) => nextOffset >= 0).map(([key, o]) => [key, o.nextOffset]));
    });
  }

  write(record: Record<string, ProjectedEvent | null>, metadata: RecordMetadata): void {
    const { key, value } = record;
    // Event topics are never compacted: a tombstone there means nothing.
    if (value === null) return;
    const { topic, partition, offset } = metadata;
    const rows = rowsOf(topic, value);
    if (rows.length === 0) return;
    this.#records.push({ topic, partition, offset, key, describe: () => JSON.stringify(value), rows });
    this.#rows += rows.length;
    for (const row of rows) this.#chars += row.line.length;
  }

  async commit(positions: ReadonlyMap<string, number>): Promise<void> {
    const advances = this.#advances(positions);
    if (advances.length === 0) return;
    // Positions are those of now: what is written while the transaction runs belongs to the next one.
    const records = this.#records;
    const counted = { rows: this.#rows, chars: this.#chars };
    this.#records = [];
    let refused: readonly RefusedRecord[];
    try {
      refused = await this.#withRetries('committing to SQL', (client) => this.#transaction(client, advances, records));
    } catch (error) {
      this.#records = [...records, ...this.#records];
      throw error;
    }
    this.#rows -= counted.rows;
    this.#chars -= counted.chars;
    for (const { owned, nextOffset } of advances) owned.nextOffset = nextOffset;
    for (const item of refused) {
      const { topic, partition, offset } = item.record;
      this.#options.log.warn(
        { topic, partition, offset, error: item.errorMessage },
        'PostgreSQL refused a record; it is in sink_dead_letters',
      );
      this.#options.onDeadLetter?.(item);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#releaseClient(undefined);
    return Promise.resolve();
  }

  #advances(positions: ReadonlyMap<string, number>): Advance[] {
    const advances: Advance[] = [];
    for (const [key, nextOffset] of positions) {
      const owned = this.#owned.get(key);
      if (owned === undefined) {
        throw new StreamsError(`SQL sink: ${key} was not opened by this task`, {
          code: 'INVALID_STATE',
          recovery: 'fail',
        });
      }
      if (nextOffset !== owned.nextOffset) advances.push({ owned, nextOffset });
    }
    return advances;
  }

  async #transaction(
    client: PoolClient,
    advances: readonly Advance[],
    records: readonly BufferedRecord[],
  ): Promise<readonly RefusedRecord[]> {
    const { name } = this.#options;
    await client.query('BEGIN');
    const result = await advanceOffsets(client, name, advances);
    if (result === 'already') {
      await client.query('ROLLBACK');
      return [];
    }
    if (result === 'fenced') {
      await client.query('ROLLBACK');
      const where = advances.map(({ owned }) => `${owned.topic}-${owned.partition}`).join(', ');
      throw new StreamsError(`SQL sink ${name}: another owner has taken ${where}`, {
        code: 'FENCED',
        recovery: 'migrate',
      });
    }
    const refused = await storeRecords(client, records);
    await storeDeadLetters(client, name, refused);
    await client.query('COMMIT');
    return refused;
  }

  async #withRetries<T>(what: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const client = await this.#connect();
        // Ending the socket makes the query that hangs reject.
        const watchdog = setTimeout(
          () => this.#releaseClient(new Error(`${what} took too long`)),
          TRANSACTION_TIMEOUT_MS,
        );
        try {
          return await work(client);
        } finally {
          clearTimeout(watchdog);
        }
      } catch (error) {
        if (error instanceof StreamsError) throw error;
        this.#releaseClient(error instanceof Error ? error : new Error(String(error)));
        const fault = faultOf(error);
        if (fault !== 'transient' || attempt >= ATTEMPTS_MAX || this.#isClosed) {
          throw new StreamsError(`${what} failed: ${error instanceof Error ? error.message : String(error)}`, {
            code: 'PRODUCTION',
            recovery: fault === 'transient' ? 'retry' : 'fail',
            cause: error,
          });
        }
        const waitMs = backoffMs(attempt, BACKOFF, Math.random);
        this.#options.log.warn({ err: error, attempt, waitMs }, `${what} failed; trying again`);
        await sleep(waitMs);
      }
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#isClosed) throw new StreamsError('the SQL sink is closed', { code: 'INVALID_STATE', recovery: 'fail' });
    if (this.#client !== undefined) return this.#client;
    const client = await this.#options.pool.connect();
    if (this.#isClosed) {
      // Closed meanwhile: nobody would give it back, and the pool could never end.
      client.release(true);
      throw new StreamsError('the SQL sink is closed', { code: 'INVALID_STATE', recovery: 'fail' });
    }
    // Without a listener an idle connection that breaks would end the process; the next query on it rejects anyway.
    client.on('error', this.#onClientError);
    this.#client = client;
    await client.query(
      `SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET lock_timeout = ${LOCK_TIMEOUT_MS}; SET client_min_messages = warning`,
    );
    return client;
  }

  readonly #onClientError = (error: Error): void => {
    this.#options.log.warn({ err: error }, 'the SQL connection of a sink broke');
  };

  #releaseClient(error: Error | undefined): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    // The session has temporary tables and settings of ours: never hand it to somebody else.
    client.release(error ?? true);
  }
}

/** One sink a task: `stream.toExternal(() => createTimescaleSink({ pool, name, log }))`. Tables come from `migrate`. */
export function createTimescaleSink(options: TimescaleSinkOptions): OffsetStoringSink<string, ProjectedEvent | null> {
  return new TimescaleSink(options);
}
