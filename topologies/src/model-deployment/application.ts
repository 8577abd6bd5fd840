import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { StatefulFlowPorts } from '../ports.ts';
import { DeploymentProcessor, deploymentSinks, MODEL_DEPLOYMENTS_STORE } from './processor.ts';

/**
 * `model.commands` → the compacted `model.deployments` and answers on `api.replies`. Store `model-deployments`, key model name.
 * Models belong to the installation, not to a tenant: whoever has the scope changes them for everybody.
 */
function buildModelDeploymentTopology({ serdes, store = 'persistent' }: StatefulFlowPorts): Topology {
  const { key } = serdes;
  return new Topology()
    .addSource('commands', topics.modelCommands, { key, value: serdes.Command })
    .addProcessor('deployment', () => new DeploymentProcessor(), 'commands')
    .addStateStore(
      Stores.keyValueStoreBuilder({
        name: MODEL_DEPLOYMENTS_STORE,
        key,
        value: serdes.ModelDeploymentState,
        store,
      }),
      'deployment',
    )
    .addSink(deploymentSinks.deployments, topics.modelDeployments, 'deployment', { key, value: serdes.ModelDeployment })
    .addSink(deploymentSinks.replies, topics.apiReplies, 'deployment', { key, value: serdes.ApiReply });
}

/** Which versions of each model judge. */
export const modelDeploymentFlow = defineFlow({
  id: 'platform-model-deployment',
  role: 'api',
  inputs: [topics.modelCommands],
  deadLetters: { topic: topics.deadLetters },
  stores: [MODEL_DEPLOYMENTS_STORE],
  build: buildModelDeploymentTopology,
});
