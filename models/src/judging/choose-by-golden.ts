import type { Detector, DetectorInput, DetectorVersion } from '@chip-quality/schemas';

/** A detector of a worker, which knows whether it is ready, and ends. */
export interface OwnedDetector extends Detector {
  /** Whether boards would be judged now; never rejects. */
  ready(): Promise<boolean>;
  /** Releases threads and memory; calls still waiting reject with `InferenceError`. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Judges boards that have a golden image with `pair`, the others with `single`. Requests name `pair`; who really answered is in the
 * route. Closing it closes both.
 */
export function chooseByGolden(pair: OwnedDetector, single: OwnedDetector): OwnedDetector {
  return new TwoModels(pair, single);
}

/** Owns: both detectors. Called by: the inference topology. */
class TwoModels implements OwnedDetector {
  readonly #pair: OwnedDetector;
  readonly #single: OwnedDetector;

  constructor(pair: OwnedDetector, single: OwnedDetector) {
    this.#pair = pair;
    this.#single = single;
  }

  get modelName(): string {
    return this.#pair.modelName;
  }

  route(inspectionId: string, input: DetectorInput): DetectorVersion {
    return (input.golden === undefined ? this.#single : this.#pair).route(inspectionId, input);
  }

  async whenAvailable(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#pair.whenAvailable?.(signal), this.#single.whenAvailable?.(signal)]);
  }

  async ready(): Promise<boolean> {
    const [pair, single] = await Promise.all([this.#pair.ready(), this.#single.ready()]);
    return pair && single;
  }

  async close(): Promise<void> {
    await Promise.all([this.#pair.close(), this.#single.close()]);
  }
}
