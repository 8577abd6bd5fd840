import type { ArtifactEvent, CatalogEvent, InferenceEvent, InspectionEvent } from '../../avro/generated/records.ts';

/** Everything that is projected into SQL: a flow of `topologies/` hands it on, `sinks/` makes rows of it. */
export type ProjectedEvent = InspectionEvent | ArtifactEvent | InferenceEvent | CatalogEvent;
