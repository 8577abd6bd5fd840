import { basename } from 'node:path';
import { InferenceError } from '../errors.ts';
import type { Detection, DetectorInput, InferenceEngine, InferOptions } from '../inference-port.ts';
import { TritonAdmin } from '../triton/triton-admin.ts';
import { createTritonEngine } from '../triton/triton-engine.ts';

/** Settings of {@link TritonModelSource}. */
export interface TritonModelSourceOptions {
  /** `host:port` of the server's gRPC service, without a scheme. */
  readonly address: string;
  /** The model's folder, here as the server sees it too. */
  readonly modelDirectory: string;
  /** Hand images over in shared memory: the server must run on this machine. Default `false`. */
  readonly sharedMemory?: boolean;
}

/**
 * Versions of a model that a Triton server serves. The model's `version_policy` serves every version in the folder, so that two
 * versions can judge at once and a restarted server comes back with all of them.
 *
 * Owns: an admin connection; engines belong to who opened them. Called by: the model life cycle.
 * Invariants: I1 a version that the server does not serve yet is loaded before its engine is made; the others serve meanwhile;
 * I2 reloads of one source never overlap.
 */
export class TritonModelSource {
  readonly #options: TritonModelSourceOptions;
  readonly #admin: TritonAdmin;
  readonly #modelName: string;
  #loading: Promise<void> | undefined;

  constructor(options: TritonModelSourceOptions) {
    this.#options = options;
    this.#modelName = basename(options.modelDirectory);
    this.#admin = new TritonAdmin(options.address);
  }

  /** Rejects with `InferenceError`: the server is away, cannot load the model, or has another one under its name. */
  readonly open = async (version: string): Promise<InferenceEngine> => {
    if (!(await this.#admin.modelReady(this.#modelName, version))) await this.#load();
    const { address, modelDirectory, sharedMemory = false } = this.#options;
    // Tensors go to the very version; the ensemble would take the newest.
    const engine = await createTritonEngine({ address, modelDirectory, version, transport: 'fp32', sharedMemory });
    return new ReloadingEngine(engine, () => this.#load());
  };

  close(): void {
    this.#admin.close();
  }

  #load(): Promise<void> {
    this.#loading ??= this.#admin.loadModel(this.#modelName).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }
}

/**
 * Owns: nothing but the engine. Called by: the resilience around it.
 * Invariants: I1 a server that came back without the model is told to load it, and the call is one to repeat.
 */
class ReloadingEngine implements InferenceEngine {
  readonly #engine: InferenceEngine;
  readonly #load: () => Promise<void>;

  constructor(engine: InferenceEngine, load: () => Promise<void>) {
    this.#engine = engine;
    this.#load = load;
  }

  get modelName(): string {
    return this.#engine.modelName;
  }

  get modelVersion(): string {
    return this.#engine.modelVersion;
  }

  get maxBatchSize(): number {
    return this.#engine.maxBatchSize;
  }

  get verdictThreshold(): number {
    return this.#engine.verdictThreshold;
  }

  async infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    try {
      return await this.#engine.infer(batch, options);
    } catch (error) {
      if (!(error instanceof InferenceError) || error.reason !== 'model-not-loaded') throw error;
      await this.#load();
      throw new InferenceError('unavailable', `${this.modelName} was not loaded; it is now`, { cause: error });
    }
  }

  ready(): Promise<boolean> {
    return this.#engine.ready();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
