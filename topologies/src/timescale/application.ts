import {
  type ArtifactEvent,
  type CatalogEvent,
  type InferenceEvent,
  type InspectionEvent,
  topics,
} from '@chip-quality/schemas';
import { type OffsetStoringSink, type Serde, StreamsBuilder, type Topology } from 'millrace';
import type { PlatformSerdes } from '../platform-serdes.ts';

/** Application id of {@link buildTimescaleTopology}. */
export const TIMESCALE_APPLICATION = 'platform-timescale';

/** Everything that is projected into SQL; structurally the sink's `SinkEvent`. */
export type ProjectedEvent = InspectionEvent | ArtifactEvent | InferenceEvent | CatalogEvent;

/**
 * All event topics → SQL. They meet in one sink a task, so one transaction a commit interval carries the rows of all of them.
 * `makeSink` is called once a task.
 */
export function buildTimescaleTopology(
  serdes: PlatformSerdes,
  makeSink: () => OffsetStoringSink<string, ProjectedEvent | null>,
): Topology {
  const builder = new StreamsBuilder();
  const read = <T extends ProjectedEvent>(topic: string, value: Serde<T>) =>
    builder.stream(topic, { key: serdes.key, value: value as Serde<ProjectedEvent>, name: topic });
  read(topics.inspectionLifecycle, serdes.InspectionEvent)
    .merge(read(topics.artifactManagement, serdes.ArtifactEvent), { name: 'with-artifacts' })
    .merge(read(topics.inferenceWorkflow, serdes.InferenceEvent), { name: 'with-inferences' })
    .merge(read(topics.catalogEvents, serdes.CatalogEvent), { name: 'with-catalog' })
    .toExternal(makeSink, { name: 'sql' });
  return builder.build();
}
