import type { ClientBase } from 'pg';

/** One input partition of a sink as this owner knows it. */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Grows with each owner. */
  readonly epoch: string;
  /** -1 until something was stored. */
  nextOffset: number;
}

/** Takes the partition over from whoever had it; the owner before is fenced from here on. */
export async function takeOver(
  client: ClientBase,
  sink: string,
  topic: string,
  partition: number,
): Promise<OwnedPartition> {
  const { rows } = await client.query<{ next_offset: string; epoch: string }>(
    `INSERT INTO sink_offsets (sink, topic, partition, next_offset, epoch) VALUES ($1, $2, $3, -1, 1)
     ON CONFLICT (sink, topic, partition) DO UPDATE SET epoch = sink_offsets.epoch + 1, updated_at = now()
     RETURNING next_offset, epoch`,
    [sink, topic, partition],
  );
  const row = rows[0] as { next_offset: string; epoch: string };
  return { topic, partition, epoch: row.epoch, nextOffset: Number(row.next_offset) };
}

/** A position to store. */
export interface Advance {
  readonly owned: OwnedPartition;
  readonly nextOffset: number;
}

/**
 * `advanced`: all rows moved from where we left them. `already`: they stand where we want them, in our epoch: an earlier try
 * had committed though its answer was lost. `fenced`: somebody else owns one of them.
 */
export type AdvanceResult = 'advanced' | 'already' | 'fenced';

/** Compare-and-set of all positions at once, inside the open transaction; locks the rows. */
export async function advanceOffsets(
  client: ClientBase,
  sink: string,
  advances: readonly Advance[],
): Promise<AdvanceResult> {
  const parameters = [
    sink,
    advances.map(({ owned }) => owned.topic),
    advances.map(({ owned }) => owned.partition),
    advances.map(({ owned }) => owned.epoch),
    advances.map(({ owned }) => owned.nextOffset),
    advances.map(({ nextOffset }) => nextOffset),
  ];
  const moves = `unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
                 AS move (topic, partition, epoch, expected, wanted)`;
  const same = 'o.sink = $1 AND o.topic = move.topic AND o.partition = move.partition AND o.epoch = move.epoch';
  const updated = await client.query(
    `UPDATE sink_offsets o SET next_offset = move.wanted, updated_at = now() FROM ${moves}
     WHERE ${same} AND o.next_offset = move.expected`,
    parameters,
  );
  if (updated.rowCount === advances.length) return 'advanced';
  if (updated.rowCount !== 0) return 'fenced';
  const standing = await client.query(
    `SELECT 1 FROM sink_offsets o, ${moves} WHERE ${same} AND o.next_offset = move.wanted AND move.expected IS NOT NULL`,
    parameters,
  );
  return standing.rowCount === advances.length ? 'already' : 'fenced';
}
