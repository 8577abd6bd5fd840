import type { StreamsOptions } from '../../src/base/config.ts';
import { resolveConfig } from '../../src/base/default-config.ts';
import { createAsyncProcessor } from '../../src/pipeline/create-async-processor.ts';
import type { RecordCollector } from '../../src/runtime/output/record-collector.ts';
import type { SourcePartition } from '../../src/runtime/task/source-partition.ts';
import { StreamTask } from '../../src/runtime/task/stream-task.ts';
import { newThreadCache } from '../../src/runtime/task/task-cache.ts';
import { CapturingCollector, singleRecordBatch } from '../../src/testing/driver/captured-records.ts';
import type { SubTopology } from '../../src/topology/nodes.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { newDirectory } from './streams-harness.ts';

export interface TaskHarnessOptions extends Partial<StreamsOptions> {
  readonly taskId?: string;
  readonly collector?: RecordCollector;
}

/** A task of a topology's first sub-topology on partition 0, not started yet; by default nothing it writes goes anywhere. */
export function newTask(topology: Topology, options: TaskHarnessOptions = {}): StreamTask {
  const { taskId = '0_0', collector = new CapturingCollector(), ...rest } = options;
  const config = resolveConfig({ applicationId: 'app', maxTaskIdleMs: -1, statestoreCacheMaxBytes: 0, ...rest });
  const subTopology = topology.resolve('app').subTopologies[0] as SubTopology;
  return new StreamTask({
    taskId,
    partition: 0,
    subTopology,
    partitions: subTopology.sourceTopics.map((topic) => ({ topic, partition: 0 })),
    config,
    collector,
    stateDirectory: newDirectory(),
    globalStores: new Map(),
    cache: newThreadCache(config),
    lagOf: () => 0,
    createAsyncProcessor: (operator, nodeName) =>
      createAsyncProcessor(operator, { clock: config.clock, random: config.random, nodeName }),
    wake: () => {},
  });
}

/** A task as {@link newTask} makes it, RUNNING from offset 0. */
export function runningTask(topology: Topology, options: TaskHarnessOptions = {}): StreamTask {
  const task = newTask(topology, options);
  task.initializeStores();
  for (const source of task.sources) task.setPosition(source, 0);
  task.start();
  return task;
}

/** Buffers text records at the end of a source's queue. */
export function give(source: SourcePartition, ...values: readonly string[]): void {
  for (const value of values) {
    const offset = source.queue.fetchedOffset;
    const { topic, partition } = source;
    const bytes = Buffer.from(value);
    const record = { topic, partition, key: Buffer.from('k'), value: bytes, timestampMs: 0, headers: [] };
    source.queue.add(singleRecordBatch(record, offset));
    source.queue.advanceFetched(offset + 1);
  }
}
