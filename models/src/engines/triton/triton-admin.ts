import type {
  ModelConfigResponse,
  ModelMetadataResponse,
  ModelStatistics,
  RepositoryModel,
  RepositoryParameter,
} from '@chip-quality/proto';
import { InferenceError } from '../../errors.ts';
import { type CallOptions, TritonConnection } from './connection.ts';

/** Loading waits for the model: a large one, or TensorRT that builds its plan, takes minutes. */
const LOAD_DEADLINE_MS = 300_000;

/** What a model is loaded with instead of what lies in the repository. */
export interface LoadOverrides {
  /** The model's configuration as JSON, in the form of `config.pbtxt`. */
  readonly config?: string;
  /** Bytes by `VERSION/NAME`, e.g. `1/model.onnx`; needs `config`. Nothing on disk is read then. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/**
 * Health, metadata, repository and statistics of a Triton server. Every method rejects with `InferenceError`
 * (`unavailable` when the server cannot be reached in time, `model-not-loaded` for a model that it does not serve)
 * except `serverReady` and `modelReady`, which answer `false`.
 */
export class TritonAdmin {
  readonly #connection: TritonConnection;

  /** `address` is `host:port` of the gRPC service, without a scheme. Connects when first called. */
  constructor(address: string) {
    this.#connection = new TritonConnection(address);
  }

  /** Whether the server takes requests. */
  async serverReady(options?: CallOptions): Promise<boolean> {
    return this.#isReady(this.#connection.call('ServerReady', {}, options));
  }

  /** Whether one model (version) takes requests. */
  async modelReady(name: string, version = '', options?: CallOptions): Promise<boolean> {
    return this.#isReady(this.#connection.call('ModelReady', { name, version }, options));
  }

  /** Names, datatypes and shapes of a model's tensors, and its loaded versions. */
  modelMetadata(name: string, version = '', options?: CallOptions): Promise<ModelMetadataResponse> {
    return this.#connection.call('ModelMetadata', { name, version }, options);
  }

  /** The part of a model's configuration that the platform uses. */
  async modelConfig(
    name: string,
    version = '',
    options?: CallOptions,
  ): Promise<NonNullable<ModelConfigResponse['config']>> {
    const { config } = await this.#connection.call('ModelConfig', { name, version }, options);
    if (config === null) throw new InferenceError('bad-output', `Triton gave no configuration of ${name}`);
    return config;
  }

  /** Every version of every model in the server's repositories, with its state. */
  async repositoryIndex(options?: CallOptions): Promise<readonly RepositoryModel[]> {
    return (await this.#connection.call('RepositoryIndex', {}, options)).models;
  }

  /**
   * Loads or reloads a model from the repository; resolves when it serves. A model that is loaded already goes on
   * serving its old state until then, and when loading fails.
   */
  async loadModel(name: string, overrides: LoadOverrides = {}, options?: CallOptions): Promise<void> {
    const parameters: Record<string, RepositoryParameter> = {};
    if (overrides.config !== undefined) parameters['config'] = { stringParam: overrides.config };
    for (const [path, bytesParam] of Object.entries(overrides.files ?? {})) parameters[`file:${path}`] = { bytesParam };
    await this.#connection.call(
      'RepositoryModelLoad',
      { modelName: name, parameters },
      { deadlineMs: LOAD_DEADLINE_MS, ...options },
    );
  }

  /** Asks the server to unload a model; requests under way are finished first. `dependents`: the steps of an ensemble too. */
  async unloadModel(name: string, dependents = false, options?: CallOptions): Promise<void> {
    const parameters = { unload_dependents: { boolParam: dependents } };
    await this.#connection.call('RepositoryModelUnload', { modelName: name, parameters }, options);
  }

  /** Counts and times of a model, one entry a loaded version. */
  async modelStatistics(name: string, version = '', options?: CallOptions): Promise<readonly ModelStatistics[]> {
    return (await this.#connection.call('ModelStatistics', { name, version }, options)).modelStats;
  }

  /** Names of the system shared memory regions that the server has mapped. */
  async sharedMemoryRegions(options?: CallOptions): Promise<string[]> {
    return Object.keys((await this.#connection.call('SystemSharedMemoryStatus', {}, options)).regions);
  }

  /** Ends the connection; calls that still wait reject as `unavailable`. */
  close(): void {
    this.#connection.close();
  }

  async #isReady(answer: Promise<{ readonly ready: boolean }>): Promise<boolean> {
    try {
      return (await answer).ready;
    } catch (error) {
      if (error instanceof InferenceError) return false;
      throw error;
    }
  }
}
