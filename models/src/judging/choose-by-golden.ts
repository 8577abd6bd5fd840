import type { Detection, Detector, DetectorInput, DetectorVersion } from '@chip-quality/schemas';
import type { InferenceEngine, InferOptions } from '../inference-port.ts';

/** An engine that may have several versions, and may know when it is away. */
export interface RoutedEngine extends InferenceEngine, Pick<Detector, 'route'> {
  /** Resolves when calls are taken; absent: they always are. Rejects with the signal's reason. */
  whenAvailable?(signal?: AbortSignal): Promise<void>;
}

/** An engine of two models that takes every board to the one that was trained for it. */
export interface GoldenChoice extends InferenceEngine {
  /** The model that judges this board of this inspection at this moment. */
  route(inspectionId: string, input: DetectorInput): DetectorVersion;
  /** Resolves when both models take calls. Rejects with the signal's reason. */
  whenAvailable(signal?: AbortSignal): Promise<void>;
}

/**
 * Judges boards that have a golden image with `pair`, the others with `single`. To the outside it is `pair`: its name, version and
 * threshold; who really answered is in the route. Closing it closes both.
 */
export function chooseByGolden(pair: RoutedEngine, single: RoutedEngine): GoldenChoice {
  return new TwoModels(pair, single);
}

/**
 * Owns: both engines. Called by: the inference topology.
 * Invariants: I1 answers come in the order of the boards, whichever model gave them; I2 without a threshold of the caller's each
 * model uses its own.
 */
class TwoModels implements GoldenChoice {
  readonly #pair: RoutedEngine;
  readonly #single: RoutedEngine;

  constructor(pair: RoutedEngine, single: RoutedEngine) {
    this.#pair = pair;
    this.#single = single;
  }

  get modelName(): string {
    return this.#pair.modelName;
  }

  get modelVersion(): string {
    return this.#pair.modelVersion;
  }

  get maxBatchSize(): number {
    return Math.min(this.#pair.maxBatchSize, this.#single.maxBatchSize);
  }

  get verdictThreshold(): number {
    return this.#pair.verdictThreshold;
  }

  route(inspectionId: string, input: DetectorInput): DetectorVersion {
    const model = input.golden === undefined ? this.#single : this.#pair;
    return model.route?.(inspectionId, input) ?? model;
  }

  async infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    const [withGolden, without] = await Promise.all([
      infer(this.#pair, batch, ({ golden }) => golden !== undefined, options),
      infer(this.#single, batch, ({ golden }) => golden === undefined, options),
    ]);
    return batch.map((_, index) => withGolden.get(index) ?? without.get(index) ?? []);
  }

  async whenAvailable(signal?: AbortSignal): Promise<void> {
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

/** Asks for the boards that are the model's, if there are any; answers by their place in the batch. */
async function infer(
  engine: InferenceEngine,
  batch: readonly DetectorInput[],
  isMine: (input: DetectorInput) => boolean,
  options: InferOptions | undefined,
): Promise<ReadonlyMap<number, Detection[]>> {
  const mine = [...batch.entries()].filter(([, input]) => isMine(input));
  if (mine.length === 0) return new Map();
  const found = await engine.infer(
    mine.map(([, input]) => input),
    options,
  );
  return new Map(mine.map(([index], at) => [index, found[at] ?? []]));
}
