import { basename, dirname, join } from 'node:path';
import {
  checkImage,
  chooseByGolden,
  createOnnxEngine,
  decodeImage,
  type InferenceEngine,
  ModelLifeCycle,
  type ModelObserver,
  type OwnedDetector,
  TritonModelSource,
} from '@chip-quality/models';
import type { ImageDecoder } from '@chip-quality/schemas';
import type { PlatformSerdes } from '@chip-quality/topologies';
import type { Broker, Log } from 'millrace';
import type { InferenceConfig, PlatformConfig } from '../config.ts';
import { DeploymentFollower, defaultDeployment, judgingModels } from '../reads/deployed-models.ts';
import type { SuspendCandidate } from './suspend-candidate.ts';

/** What a worker's detector needs of the platform. */
export interface DetectorSurroundings {
  readonly broker: Broker;
  readonly serdes: PlatformSerdes;
  readonly observer: (modelName: string) => ModelObserver;
  readonly suspendCandidate: SuspendCandidate;
  /** Loads a version of a model. Default: in this process or from the server, as configured. */
  readonly open?: (modelDirectory: string, version: string) => Promise<InferenceEngine>;
  readonly log: Log;
}

/** The detector of a worker, and how to let go of it. */
export interface RunningDetector {
  readonly detector: OwnedDetector;
  close(): Promise<void>;
}

/** What makes of an uploaded file what the detector takes: pixels, or the file itself where the server decodes it. */
export function imageReader(inference: InferenceConfig): ImageDecoder {
  return inference.engine === 'triton' && inference.transport === 'jpeg' ? checkImage : decodeImage;
}

/**
 * Loads what is deployed, in this process or from a Triton server, and follows deployments from then on. Boards without golden
 * image go to the model that was trained for them, where the repository has one. Rejects when a version in production can't be
 * loaded; a candidate that can't be loaded is tried again while production judges.
 */
export async function startDetector(
  { modelDirectory, inference }: PlatformConfig,
  surroundings: DetectorSurroundings,
): Promise<RunningDetector> {
  const [pairName, singleName] = judgingModels(modelDirectory);
  const running: RunningDetector[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.map((each) => each.close()));
  };
  try {
    const start = async (name: string): Promise<OwnedDetector | undefined> => {
      const started = await startModel(join(dirname(modelDirectory), name), inference, surroundings);
      if (started !== undefined) running.push(started);
      return started?.detector;
    };
    const pair = await start(pairName);
    if (pair === undefined) throw new Error(`there is no version of a model in ${modelDirectory}`);
    const single = await start(singleName);
    return { detector: single === undefined ? pair : chooseByGolden(pair, single), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Undefined where the repository has no version of the model. */
async function startModel(
  modelDirectory: string,
  inference: InferenceConfig,
  { broker, serdes, observer, suspendCandidate, open, log }: DetectorSurroundings,
): Promise<RunningDetector | undefined> {
  const byDefault = await defaultDeployment(modelDirectory);
  if (byDefault === undefined) return undefined;
  const modelName = basename(modelDirectory);
  const triton =
    open === undefined && inference.engine === 'triton'
      ? new TritonModelSource({
          address: inference.tritonAddress,
          modelDirectory,
          transport: inference.transport,
          sharedMemory: inference.sharedMemory,
        })
      : undefined;
  const openHere = open ?? ((directory, version) => createOnnxEngine({ modelDirectory: directory, version }));
  const told = observer(modelName);
  const detector = new ModelLifeCycle({
    modelName,
    open: triton?.open ?? ((version) => openHere(modelDirectory, version)),
    observer: {
      ...told,
      suspended: (deployment, failuresInARow) => {
        told.suspended(deployment, failuresInARow);
        if (deployment.revision !== undefined) void suspendCandidate(modelName, deployment.revision);
      },
    },
  });
  let follower: DeploymentFollower | undefined;
  const close = async (): Promise<void> => {
    await follower?.close();
    await detector.close();
    triton?.close();
  };
  try {
    follower = await DeploymentFollower.open(modelName, broker, serdes, log);
    const { production } = follower.newest ?? byDefault;
    await detector.start({ production, candidate: null });
  } catch (error) {
    await close();
    throw error;
  }
  follower.follow((deployment) => void detector.follow(deployment));
  return { detector, close };
}
