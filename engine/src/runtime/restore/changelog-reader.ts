import type { StreamsConfig } from '../../base/config.ts';
import { type RecordBatch, type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { Broker } from '../../broker/broker.ts';
import { isOutOfRange } from '../errors.ts';
import type { PartitionTask } from '../task/task.ts';
import type { TaskStore } from '../task/task-stores.ts';

/** Longest wait of one poll: how soon a closed task or the end is noticed. */
const restorePollMs = 100;
/**
 * Kafka forgets tombstones a day after compaction (`delete.retention.ms`). Local state that missed them would keep deleted keys for
 * ever, so what is older is restored whole; the difference is for the hours that a restore may take.
 */
const staleAfterMs = 20 * 60 * 60 * 1_000;

interface Restoration extends TopicPartition {
  readonly task: PartitionTask;
  readonly entry: TaskStore;
  /** The changelog's end when restoring began; later records are the task's own. */
  readonly endOffset: number;
  readonly beginningOffset: number;
}

export interface RestoreOptions {
  readonly broker: Broker;
  readonly config: StreamsConfig;
  /** Committed offsets of source topics that serve as changelogs. */
  readonly committed: (partition: TopicPartition) => number | undefined;
}

/**
 * Brings the stores of tasks up to the ends of their changelogs. Ends by *position*: the last offsets of a log may be control
 * records or compacted away. A store that is ahead of its changelog, or behind its beginning, is wiped and restored whole.
 * Tasks that are closed meanwhile are dropped. Rejects when a changelog can't be read.
 */
export async function restoreTasks(tasks: readonly PartitionTask[], options: RestoreOptions): Promise<void> {
  const { broker, config } = options;
  const open = await planRestorations(tasks, options);
  if (open.size === 0) return;
  const consumer = broker.consumer({
    clientId: `${config.clientId}-restore-consumer`,
    fetchBytesMax: config.fetchBytesMax,
    partitionFetchBytesMax: config.partitionFetchBytesMax,
  });
  const startedMs = config.clock.monotonicMs();
  let records = 0;
  try {
    consumer.assign([...open.values()].map((each) => ({ ...positionOf(each) })));
    while (open.size > 0) {
      for (const { topic, partition, batches, nextOffset, error } of await consumer.poll(restorePollMs)) {
        const key = topicPartitionKey(topic, partition);
        const each = open.get(key);
        for (const batch of batches) {
          if (each !== undefined && each.task.state !== 'CLOSED') {
            const restored = each.entry.changelogIsSource ? rowsBefore(batch, each.endOffset) : batch;
            records += restored.count;
            if (restored.count > 0) {
              const lastOffset = restored.offsets[restored.count - 1] as number;
              each.task.stores.restore(each.entry.store, restored, lastOffset + 1);
            }
          }
          batch.release();
        }
        if (each === undefined || each.task.state === 'CLOSED') continue;
        if (error !== undefined) {
          if (!isOutOfRange(error)) throw error;
          config.log.warn(
            { err: error, topic, partition },
            'A changelog position is gone; restoring from its beginning',
          );
          each.task.stores.wipe(each.entry);
          const begins = await broker.admin().beginningOffsets([{ topic, partition }]);
          consumer.seek({ topic, partition }, begins.get(key) ?? 0);
        } else {
          const end = each.entry.changelogIsSource ? Math.min(nextOffset, each.endOffset) : nextOffset;
          each.task.stores.advance(each.entry.store, end);
        }
      }
      for (const [key, each] of open) {
        const over = each.task.state === 'CLOSED' || consumer.position(each) >= each.endOffset;
        if (!over) continue;
        open.delete(key);
        // A persistent store keeps what it got, or an instance that is stopped before its first commit restores it again.
        if (each.task.state !== 'CLOSED') each.entry.store.commit(each.task.stores.position(each.entry.store.name));
        consumer.remove([each]);
      }
    }
  } finally {
    await consumer.close();
  }
  const elapsedMs = config.clock.monotonicMs() - startedMs;
  config.metrics.count('restore-total', {}, records);
  config.log.info({ records, elapsedMs, tasks: tasks.map(({ taskId }) => taskId) }, 'Restored state from changelogs');
}

/**
 * The batch without the records of a source topic that are still to be processed: a store that held their values already would tell
 * them as the values before.
 */
function rowsBefore(batch: RecordBatch, endOffset: number): RecordBatch {
  let { count } = batch;
  while (count > 0 && (batch.offsets[count - 1] as number) >= endOffset) count -= 1;
  if (count === batch.count) return batch;
  const { topic, partition, buffer, offsets, timestamps } = batch;
  const { keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, headerEnds } = batch;
  const columns = { keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, headerEnds };
  return { topic, partition, count, buffer, offsets, timestamps, ...columns, release: () => batch.release() };
}

/** The partitions that have something to restore, each at its store's position. */
async function planRestorations(
  tasks: readonly PartitionTask[],
  { broker, committed, config }: RestoreOptions,
): Promise<Map<string, Restoration>> {
  const logs: (TopicPartition & { readonly task: PartitionTask; readonly entry: TaskStore })[] = [];
  for (const task of tasks) {
    for (const entry of task.stores.all()) {
      if (entry.changelogTopic === undefined) continue;
      logs.push({ topic: entry.changelogTopic, partition: task.stores.partition, task, entry });
    }
  }
  const open = new Map<string, Restoration>();
  if (logs.length === 0) return open;
  const admin = broker.admin();
  const [begins, ends] = await Promise.all([admin.beginningOffsets(logs), admin.endOffsets(logs)]);
  for (const log of logs) {
    const { topic, partition, task, entry } = log;
    if (task.state === 'CLOSED') continue;
    const key = topicPartitionKey(topic, partition);
    const beginningOffset = begins.get(key) ?? 0;
    let endOffset = ends.get(key) ?? 0;
    if (entry.changelogIsSource) endOffset = Math.min(endOffset, committed(log) ?? beginningOffset);
    const position = task.stores.position(entry.store.name);
    if (position !== undefined) {
      const { lastDurableMs } = entry.store;
      const ageMs = lastDurableMs === undefined ? 0 : config.clock.nowMs() - lastDurableMs;
      const isStale = position < endOffset && ageMs > staleAfterMs;
      if (isStale || position > endOffset || position < beginningOffset) task.stores.wipe(entry);
    }
    const from = task.stores.position(entry.store.name) ?? beginningOffset;
    task.stores.advance(entry.store, from);
    if (from < endOffset) open.set(key, { topic, partition, task, entry, endOffset, beginningOffset });
  }
  return open;
}

function positionOf({
  topic,
  partition,
  task,
  entry,
  beginningOffset,
}: Restoration): TopicPartition & { offset: number } {
  return { topic, partition, offset: task.stores.position(entry.store.name) ?? beginningOffset };
}
