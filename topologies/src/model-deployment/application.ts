import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import type { StateOptions } from '../actor/state-options.ts';
import type { PlatformSerdes } from '../platform-serdes.ts';
import { DeploymentProcessor, deploymentSinks, MODEL_DEPLOYMENTS_STORE } from './processor.ts';

/** Application id of {@link buildModelDeploymentTopology}. */
export const MODEL_DEPLOYMENT_APPLICATION = 'platform-model-deployment';

/**
 * `model.commands` → the compacted `model.deployments` and answers on `api.replies`. Store `model-deployments`, key model name.
 * Models belong to the installation, not to a tenant: whoever has the scope changes them for everybody.
 */
export function buildModelDeploymentTopology(serdes: PlatformSerdes, options: StateOptions = {}): Topology {
  const { key } = serdes;
  return new Topology()
    .addSource('commands', topics.modelCommands, { key, value: serdes.Command })
    .addProcessor('deployment', () => new DeploymentProcessor(), 'commands')
    .addStateStore(
      Stores.keyValueStoreBuilder({
        name: MODEL_DEPLOYMENTS_STORE,
        key,
        value: serdes.ModelDeploymentState,
        store: options.store ?? 'persistent',
      }),
      'deployment',
    )
    .addSink(deploymentSinks.deployments, topics.modelDeployments, 'deployment', { key, value: serdes.ModelDeployment })
    .addSink(deploymentSinks.replies, topics.apiReplies, 'deployment', { key, value: serdes.ApiReply });
}
