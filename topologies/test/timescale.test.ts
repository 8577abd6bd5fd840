import { type ProjectedEvent, topics } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { type TimescalePorts, timescaleFlow } from '../src/index.ts';
import { drive, lifecycle, serdes } from './support/driver.ts';

test('all event topics meet in one sink a task', async () => {
  const written: [string, number, string | undefined][] = [];
  const commits: ReadonlyMap<string, number>[] = [];
  let opened: readonly string[] = [];
  const makeSqlSink: TimescalePorts['makeSqlSink'] = () => ({
    isFull: false,
    async open(partitions) {
      opened = partitions.map(({ topic }) => topic).sort();
      return new Map();
    },
    write(record, { topic, offset }) {
      written.push([topic, offset, (record.value as ProjectedEvent | null)?.event_type]);
    },
    async commit(positions) {
      commits.push(new Map(positions));
    },
    async close() {},
  });
  const topology = timescaleFlow.build({ serdes, makeSqlSink });
  expect(topology.resolve('x').subTopologies).toHaveLength(1);
  const driver = drive(topology, timescaleFlow.id);
  await driver.settle();
  const put = driver.createInputTopic(topics.inspectionLifecycle, serdes.key, serdes.InspectionEvent);
  const artifacts = driver.createInputTopic(topics.artifactManagement, serdes.key, serdes.ArtifactEvent);
  const event = lifecycle({});
  put.pipeInput(event.payload.inspection_id, event, event.timestamp);
  artifacts.pipeInput('x', null, event.timestamp);
  put.pipeInput(event.payload.inspection_id, event, event.timestamp);
  await driver.settle();
  expect(opened).toEqual(
    [topics.artifactManagement, topics.catalogEvents, topics.inferenceWorkflow, topics.inspectionLifecycle].sort(),
  );
  expect(written).toEqual([
    [topics.inspectionLifecycle, 0, 'inspection.completed'],
    [topics.artifactManagement, 0, undefined],
    [topics.inspectionLifecycle, 1, 'inspection.completed'],
  ]);
  expect(commits.at(-1)?.get(`${topics.inspectionLifecycle}-0`)).toBe(2);
});
