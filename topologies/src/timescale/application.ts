import { type ProjectedEvent, topics } from '@chip-quality/schemas';
import { type OffsetStoringSink, type Serde, StreamsBuilder, type Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { FlowPorts } from '../ports.ts';

/** What the projection into SQL needs. */
export interface TimescalePorts extends FlowPorts {
  /** Called once a task. */
  readonly makeSqlSink: () => OffsetStoringSink<string, ProjectedEvent | null>;
}

/** All event topics → SQL. They meet in one sink a task, so one transaction a commit interval carries the rows of all of them. */
function buildTimescaleTopology({ serdes, makeSqlSink }: TimescalePorts): Topology {
  const builder = new StreamsBuilder();
  const read = <T extends ProjectedEvent>(topic: string, value: Serde<T>) =>
    builder.stream(topic, { key: serdes.key, value: value as Serde<ProjectedEvent>, name: topic });
  read(topics.inspectionLifecycle, serdes.InspectionEvent)
    .merge(read(topics.artifactManagement, serdes.ArtifactEvent), { name: 'with-artifacts' })
    .merge(read(topics.inferenceWorkflow, serdes.InferenceEvent), { name: 'with-inferences' })
    .merge(read(topics.catalogEvents, serdes.CatalogEvent), { name: 'with-catalog' })
    .toExternal(makeSqlSink, { name: 'sql' });
  return builder.build();
}

/** The events as rows. */
export const timescaleFlow = defineFlow({
  id: 'platform-timescale',
  role: 'worker',
  inputs: [topics.inspectionLifecycle, topics.artifactManagement, topics.inferenceWorkflow, topics.catalogEvents],
  deadLetters: { topic: topics.deadLetters },
  stores: [],
  build: buildTimescaleTopology,
});
