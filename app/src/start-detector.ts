import { basename } from 'node:path';
import { createOnnxEngine, ModelLifeCycle, type ModelObserver, TritonModelSource } from '@chip-quality/models';
import type { PlatformSerdes } from '@chip-quality/topologies';
import type { Broker, Log } from 'millrace';
import type { PlatformConfig } from './config.ts';
import { DeploymentFollower, defaultDeployment } from './deployed-models.ts';

/** The detector of a worker, and how to let go of it. */
export interface RunningDetector {
  readonly detector: ModelLifeCycle;
  close(): Promise<void>;
}

/**
 * Loads what is deployed, in this process or from a Triton server, and follows deployments from then on. Rejects when the
 * version in production can't be loaded; a candidate that can't be loaded is tried again while production judges.
 */
export async function startDetector(
  config: PlatformConfig,
  broker: Broker,
  serdes: PlatformSerdes,
  observer: ModelObserver,
  log: Log,
): Promise<RunningDetector> {
  const { modelDirectory, inference } = config;
  const modelName = basename(modelDirectory);
  const triton =
    inference.engine === 'triton'
      ? new TritonModelSource({
          address: inference.tritonAddress,
          modelDirectory,
          sharedMemory: inference.sharedMemory,
        })
      : undefined;
  const detector = new ModelLifeCycle({
    modelName,
    open: triton?.open ?? ((version) => createOnnxEngine({ modelDirectory, version })),
    observer,
  });
  const follower = await DeploymentFollower.open(modelName, broker, serdes, log);
  const close = async (): Promise<void> => {
    await follower.close();
    await detector.close();
    triton?.close();
  };
  try {
    const first = follower.newest ?? (await defaultDeployment(modelDirectory));
    await detector.start({ production: first.production, candidate: null });
  } catch (error) {
    await close();
    throw error;
  }
  follower.follow((deployment) => void detector.follow(deployment));
  return { detector, close };
}
