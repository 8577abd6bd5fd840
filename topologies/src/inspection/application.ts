import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { StatefulFlowPorts } from '../ports.ts';
import { INSPECTIONS_BY_TIME_STORE, INSPECTIONS_STORE, InspectionProcessor, inspectionSinks } from './processor.ts';

/**
 * `inspection.commands` + `inference.workflow` → lifecycle, artifact and inference events, and answers on `api.replies`.
 * Stores: `inspections` (key inspection id) and `inspections-by-time` (see `listInspections`), for the API's queries.
 */
function buildInspectionTopology({ serdes, store = 'persistent' }: StatefulFlowPorts): Topology {
  const { key } = serdes;
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

/** Inspections from their creation to their verdict. */
export const inspectionFlow = defineFlow({
  id: 'platform-inspection',
  role: 'api',
  inputs: [topics.inspectionCommands, topics.inferenceWorkflow],
  deadLetters: { topic: topics.deadLetters },
  stores: [INSPECTIONS_STORE, INSPECTIONS_BY_TIME_STORE],
  build: buildInspectionTopology,
});
