import type { Detection, DetectorInput } from '@chip-quality/schemas';
import { InferenceError } from '../../src/index.ts';
import type { InferenceEngine, InferOptions } from '../../src/inference-port.ts';

/** A detection with the least that a test says about it. */
export function detection(over: Partial<Detection> = {}): Detection {
  const box = { x1: 10, y1: 10, x2: 30, y2: 30, confidence: 0.9, label: 'open' };
  return { ...box, defectType: 'open', severity: 'critical', ...over };
}

export const board: DetectorInput = { board: new Uint8Array(4), golden: undefined };

/** An engine that answers, fails or hangs as the test says. */
export class FaultyEngine implements InferenceEngine {
  readonly modelName = 'pcb_defect_detector';
  readonly modelVersion: string;
  readonly maxBatchSize = 32;
  readonly verdictThreshold: number;
  /** What every board gets. */
  detections: readonly Detection[] = [];
  /** Set: calls reject with it. */
  fault: Error | undefined;
  /** True: calls wait for `release`, or for their signal where they listen. */
  hangs = false;
  deaf = false;
  calls = 0;
  underWay = 0;
  underWayMax = 0;
  isClosed = false;
  isReady = true;
  readonly boards: DetectorInput[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(modelVersion = '1', verdictThreshold = 0.5) {
    this.modelVersion = modelVersion;
    this.verdictThreshold = verdictThreshold;
  }

  async infer(batch: readonly DetectorInput[], { signal }: InferOptions = {}): Promise<Detection[][]> {
    if (this.isClosed) throw new InferenceError('unavailable', 'closed');
    this.calls += 1;
    this.boards.push(...batch);
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    try {
      if (this.hangs) {
        await new Promise<void>((resolve, reject) => {
          this.#waiting.push(resolve);
          if (!this.deaf) signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      }
      if (this.fault !== undefined) throw this.fault;
      return batch.map(() => [...this.detections]);
    } finally {
      this.underWay -= 1;
    }
  }

  /** Lets the calls that hang go on. */
  release(): void {
    this.hangs = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  async ready(): Promise<boolean> {
    return this.isReady;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
