import { basename } from 'node:path';
import type { Detection, DetectorInput } from '@chip-quality/schemas';
import type { TritonTransport } from '../engines/triton/messages.ts';
import { loadPinnedEnsemble } from '../engines/triton/pinned-ensemble.ts';
import { TritonAdmin } from '../engines/triton/triton-admin.ts';
import { createTritonEngine } from '../engines/triton/triton-engine.ts';
import { InferenceError } from '../errors.ts';
import type { InferenceEngine, InferOptions } from '../inference-port.ts';

/** Settings of {@link TritonModelSource}. */
export interface TritonModelSourceOptions {
  /** `host:port` of the server's gRPC service, without a scheme. */
  readonly address: string;
  /** The model's folder, here as the server sees it too. */
  readonly modelDirectory: string;
  /** How boards travel. Default `uint8`. With `jpeg`, boards are given as files. */
  readonly transport?: TritonTransport;
  /** Hand images over in shared memory: the server must run on this machine. Default `false`. */
  readonly sharedMemory?: boolean;
  /** Milliseconds until a call rejects as `unavailable`. Default 5,000. */
  readonly deadlineMs?: number;
}

/**
 * Versions of a detector that a Triton server serves. The detector's `version_policy` serves every version in the folder, so that
 * two versions can judge at once and a restarted server comes back with all of them. Images go to an ensemble of their own for
 * each version, tensors (`fp32`) to the version itself; either way the answer names the version, and another one is refused.
 *
 * Owns: an admin connection; engines belong to who opened them. What was loaded stays: other workers use it, and it goes with the
 * version's folder. Called by: the model life cycle.
 * Invariants: I1 a version that the server does not serve yet is loaded before its engine is made; the others serve meanwhile;
 * I2 a version is loaded once at a time, however many calls find it missing.
 */
export class TritonModelSource {
  readonly #options: TritonModelSourceOptions;
  readonly #admin: TritonAdmin;
  readonly #modelName: string;
  readonly #loading = new Map<string, Promise<string>>();

  /** Connects when a version is first asked for. */
  constructor(options: TritonModelSourceOptions) {
    this.#options = options;
    this.#modelName = basename(options.modelDirectory);
    this.#admin = new TritonAdmin(options.address);
  }

  /** Rejects with `InferenceError`: the server is away, cannot load the model, or has another one under its name. */
  readonly open = async (version: string): Promise<InferenceEngine> => {
    const modelName = await this.#load(version);
    const engine = await createTritonEngine({ ...this.#options, version, modelName });
    return new ReloadingEngine(engine, () => this.#load(version));
  };

  /** Ends the admin connection. Engines that were opened stay open. */
  close(): void {
    this.#admin.close();
  }

  /** Answers the name of the served model that gives this version's answers. */
  #load(version: string): Promise<string> {
    let loading = this.#loading.get(version);
    if (loading === undefined) {
      const load = this.#options.transport === 'fp32' ? this.#loadDetector(version) : this.#loadEnsemble(version);
      loading = load.finally(() => this.#loading.delete(version));
      this.#loading.set(version, loading);
    }
    return loading;
  }

  #loadEnsemble(version: string): Promise<string> {
    return loadPinnedEnsemble(this.#admin, this.#modelName, version);
  }

  async #loadDetector(version: string): Promise<string> {
    if (!(await this.#admin.modelReady(this.#modelName, version))) await this.#admin.loadModel(this.#modelName);
    return this.#modelName;
  }
}

/**
 * Owns: nothing but the engine. Called by: the resilience around it.
 * Invariants: I1 a server that came back without the model is told to load it, and the call is one to repeat.
 */
class ReloadingEngine implements InferenceEngine {
  readonly #engine: InferenceEngine;
  readonly #load: () => Promise<unknown>;

  constructor(engine: InferenceEngine, load: () => Promise<unknown>) {
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
