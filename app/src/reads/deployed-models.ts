import { basename, dirname } from 'node:path';
import { type Deployment, listModels, type RepositoryModel } from '@chip-quality/models';
import {
  type ModelDeployment,
  type ModelDeploymentState,
  type Models,
  type ModelView,
  topics,
} from '@chip-quality/schemas';
import { MODEL_DEPLOYMENTS_STORE, modelDeploymentView, type PlatformSerdes } from '@chip-quality/topologies';
import { type Broker, type KafkaStreams, type Log, TopicReader } from 'millrace';
import { owned, readState } from './platform-queries.ts';

/** The network for boards without golden image stands beside the one for pairs, under its name with this behind it. */
const SINGLE_SUFFIX = '_single';
/** A compacted topic of a handful of models is read in milliseconds; a broker that does not answer for so long is away. */
const CATCH_UP_MS = 60_000;
const POLL_MS = 20;

/**
 * The models of the repository folder, with what is deployed of those that judge, from the keyed store of this process.
 * Where nobody has deployed anything, the oldest version judges.
 */
export class DeployedModels implements Models {
  readonly #modelDirectory: string;
  readonly #deployments: KafkaStreams;

  constructor(modelDirectory: string, deployments: KafkaStreams) {
    this.#modelDirectory = modelDirectory;
    this.#deployments = deployments;
  }

  async list(): Promise<readonly ModelView[]> {
    const models = await listModels(dirname(this.#modelDirectory));
    return Promise.all(models.map((model) => this.#view(model)));
  }

  async model(name: string): Promise<ModelView | undefined> {
    return (await this.list()).find((model) => model.name === name);
  }

  async #view({ name, versions }: RepositoryModel): Promise<ModelView> {
    const deployment = !judgingModels(this.#modelDirectory).includes(name)
      ? null
      : await readState(async () => {
          const state = await owned<ModelDeploymentState>(this.#deployments, MODEL_DEPLOYMENTS_STORE).get(name);
          return state === undefined ? undeployed(versions) : modelDeploymentView(state.deployment);
        });
    return {
      name,
      versions: versions.map(({ version, verdictThreshold }) => ({ version, verdict_threshold: verdictThreshold })),
      deployment,
    };
  }
}

function undeployed(versions: RepositoryModel['versions']): ModelView['deployment'] {
  const production = first(versions);
  return { production, candidate: null, previous: null, revision: 0, updated_at: null, updated_by: null };
}

function first(versions: RepositoryModel['versions']): string {
  return (versions[0] as RepositoryModel['versions'][number]).version;
}

/** Folders of the models that boards are judged with: the one for pairs, and the one for boards without golden image. */
export function judgingModels(modelDirectory: string): [pair: string, single: string] {
  const name = basename(modelDirectory);
  return [name, `${name}${SINGLE_SUFFIX}`];
}

/**
 * What judges while nobody has deployed anything: the oldest version, so that a version that is copied in never judges by itself, nor
 * do two processes that started at different times disagree. Undefined when the model has none.
 */
export async function defaultDeployment(modelDirectory: string): Promise<Deployment | undefined> {
  const models = await listModels(dirname(modelDirectory));
  const model = models.find(({ name }) => name === basename(modelDirectory));
  return model === undefined ? undefined : { production: first(model.versions), candidate: null };
}

/**
 * Reads the deployments of a model from the beginning and goes on following them.
 *
 * Owns: a reader of the compacted topic. Called by: the platform.
 * Invariants: I1 `onDeployment` sees revisions only grow; I2 after `open` the newest one of that moment is known.
 */
export class DeploymentFollower {
  readonly #modelName: string;
  #reader: TopicReader<string, ModelDeployment> | undefined;
  #newest: ModelDeployment | undefined;
  #onDeployment: ((deployment: Deployment) => void) | undefined;

  private constructor(modelName: string) {
    this.#modelName = modelName;
  }

  static async open(modelName: string, broker: Broker, serdes: PlatformSerdes, log: Log): Promise<DeploymentFollower> {
    const follower = new DeploymentFollower(modelName);
    const reader = await TopicReader.open({
      broker,
      topic: topics.modelDeployments,
      key: serdes.key,
      value: serdes.ModelDeployment,
      from: 'earliest',
      onRecords: (records) => {
        for (const { value } of records) if (value !== null) follower.#take(value);
      },
      onError: (error, at) => log.warn({ err: error, ...at }, 'Model deployments could not be read; trying again'),
    });
    follower.#reader = reader;
    const deadlineMs = performance.now() + CATCH_UP_MS;
    while (reader.lag !== 0) {
      if (performance.now() > deadlineMs) {
        await reader.close();
        throw new Error(`${topics.modelDeployments} was not read within ${CATCH_UP_MS} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return follower;
  }

  /** The newest one; undefined where nobody has deployed anything. */
  get newest(): Deployment | undefined {
    return this.#newest === undefined ? undefined : deploymentOf(this.#newest);
  }

  /** Calls back with the newest one, where there is one, and from then on with every change. */
  follow(onDeployment: (deployment: Deployment) => void): void {
    this.#onDeployment = onDeployment;
    if (this.#newest !== undefined) onDeployment(deploymentOf(this.#newest));
  }

  async close(): Promise<void> {
    await this.#reader?.close();
  }

  #take(deployment: ModelDeployment): void {
    if (deployment.model_name !== this.#modelName) return;
    if (this.#newest !== undefined && deployment.revision <= this.#newest.revision) return;
    this.#newest = deployment;
    this.#onDeployment?.(deploymentOf(deployment));
  }
}

/** What judges: a candidate that is suspended does not. */
export function deploymentOf({ revision, production, candidate }: ModelDeployment): Deployment {
  if (candidate === null || candidate.suspended_at !== null) return { revision, production, candidate: null };
  const { version, mode, share } = candidate;
  return { revision, production, candidate: { version, mode: mode === 'split' ? 'split' : 'shadow', share } };
}
