import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AbortedTransaction } from '../../src/broker/aborted-producers.ts';
import { SharedBuffer } from '../../src/broker/buffer-pool.ts';
import { TRANSACTIONAL_BIT } from '../../src/broker/record-batch-layout.ts';
import { RecordBatchReader } from '../../src/broker/record-batch-reader.ts';
import { batchBytes, markerBytes } from '../support/transaction-batches.ts';

/** What producers do to one partition, in the order of its log. Producer 0 has no transactions. */
type Step =
  | { readonly kind: 'write'; readonly producer: number; readonly records: number }
  | { readonly kind: 'end'; readonly producer: number; readonly commit: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      producer: fc.nat(3),
      records: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      producer: fc.integer({ min: 1, max: 3 }),
      commit: fc.boolean(),
    }),
  },
);

interface Log {
  readonly blob: Buffer;
  readonly aborted: readonly AbortedTransaction[];
  /** Offsets of the records that a read_committed reader may see. */
  readonly visible: readonly number[];
  readonly endOffset: number;
}

function buildLog(steps: readonly Step[]): Log {
  const parts: Buffer[] = [];
  const aborted: AbortedTransaction[] = [];
  const visible: number[] = [];
  const open = new Map<number, number[]>();
  let offset = 0;
  // The log ends where the reader's last stable offset would be: every transaction is closed.
  const closing = [1, 2, 3].map((producer) => ({ kind: 'end' as const, producer, commit: false }));
  for (const each of [...steps, ...closing]) {
    if (each.kind === 'write') {
      const records = Array.from(
        { length: each.records },
        (_, index) => [null, Buffer.from(`${offset + index}`)] as const,
      );
      parts.push(batchBytes(offset, each.producer, each.producer === 0 ? 0 : TRANSACTIONAL_BIT, records));
      const offsets = records.map((_, index) => offset + index);
      if (each.producer === 0) visible.push(...offsets);
      else open.set(each.producer, [...(open.get(each.producer) ?? []), ...offsets]);
      offset += each.records;
      continue;
    }
    const written = open.get(each.producer);
    if (written === undefined) continue;
    open.delete(each.producer);
    if (each.commit) visible.push(...written);
    else aborted.push({ producerId: each.producer, firstOffset: written[0] as number });
    parts.push(markerBytes(offset, each.producer, each.commit));
    offset += 1;
  }
  return { blob: Buffer.concat(parts), aborted, visible: visible.sort((a, b) => a - b), endOffset: offset };
}

function read(log: Log, fromOffset: number, abortedTransactions: readonly AbortedTransaction[] | undefined) {
  const request = { topic: 't', partition: 0, fromOffset, abortedTransactions };
  const { batches, nextOffset } = new RecordBatchReader().decode(
    new SharedBuffer(log.blob),
    0,
    log.blob.length,
    request,
  );
  return { offsets: batches.flatMap((batch) => [...batch.offsets.subarray(0, batch.count)]), nextOffset };
}

it('shows a read_committed reader exactly the records of committed transactions and of none', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(40), (steps, from) => {
      const log = buildLog(steps);
      const fromOffset = Math.min(from, log.endOffset);
      const { offsets, nextOffset } = read(log, fromOffset, log.aborted);
      expect(offsets).toEqual(log.visible.filter((offset) => offset >= fromOffset));
      expect(nextOffset).toBe(log.endOffset);
    }),
  );
});

it('hides transaction markers from everybody, and moves the position past them', () => {
  const log = buildLog([{ kind: 'write', producer: 1, records: 2 }]);
  expect(read(log, 0, undefined)).toEqual({ offsets: [0, 1], nextOffset: 3 });
  expect(read(log, 0, log.aborted)).toEqual({ offsets: [], nextOffset: 3 });
});
