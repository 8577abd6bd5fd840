import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import type { StateOptions } from '../actor/state-options.ts';
import type { PlatformSerdes } from '../platform-serdes.ts';
import { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE, InspectionProcessor, inspectionSinks } from './processor.ts';

/** Application id of {@link buildInspectionTopology}. */
export const INSPECTION_APPLICATION = 'platform-inspection';

/**
 * `inspection.commands` + `inference.workflow` → lifecycle, artifact and inference events, and answers on `api.replies`.
 * Stores: `inspections` (key inspection id) and `inspections-by-time` (see `listInspections`), for the API's queries.
 */
export function buildInspectionTopology(serdes: PlatformSerdes, options: StateOptions = {}): Topology {
  const { key } = serdes;
  const store = options.store ?? 'persistent';
  return new Topology()
    .addSource('commands', topics.inspectionCommands, { key, value: serdes.Command })
    .addSource('inference-events', topics.inferenceWorkflow, { key, value: serdes.InferenceEvent })
    .addProcessor('inspection', () => new InspectionProcessor(), ['commands', 'inference-events'])
    .addStateStore(
      Stores.keyValueStoreBuilder({ name: INSPECTIONS_STORE, key, value: serdes.InspectionState, store }),
      'inspection',
    )
    .addStateStore(
      Stores.keyValueStoreBuilder({ name: INSPECTIONS_BY_TIME_STORE, key, value: key, store }),
      'inspection',
    )
    .addSink(inspectionSinks.lifecycle, topics.inspectionLifecycle, 'inspection', {
      key,
      value: serdes.InspectionEvent,
    })
    .addSink(inspectionSinks.artifacts, topics.artifactManagement, 'inspection', { key, value: serdes.ArtifactEvent })
    .addSink(inspectionSinks.inference, topics.inferenceWorkflow, 'inspection', { key, value: serdes.InferenceEvent })
    .addSink(inspectionSinks.replies, topics.apiReplies, 'inspection', { key, value: serdes.ApiReply });
}
