import { setTimeout as sleep } from 'node:timers/promises';
import { v5 as uuidv5 } from 'uuid';
import type { BoardSource, CapturedBoard, PartSpec } from './board-source.ts';
import type { BoardIntent, BoardResult, RunLedger } from './run-ledger.ts';
import { type Json, ProblemError, type StationClient } from './station-client.ts';

/** Namespace of the stations' Idempotency-Keys: the same step of the same board has the same key in every life of a station. */
const KEY_NAMESPACE = '6f1f4c3e-0f4b-4c55-9a8e-5f0f4f6c2b11';
/** How often a station asks for a result, ms: short at first, since most boards take well under a second. */
const POLL_MS = 100;
const POLL_MS_MAX = 1_000;
/** A board without an end after this long is reported as lost instead of being waited for. */
const BOARD_DEADLINE_MS = 300_000;
/** Problems that lie in the image itself: no repetition and no other key will help. */
const IMAGE_PROBLEMS = /:problem:(upload-mismatch|upload-too-large|invalid-request|body-too-large)$/;

/** What a run inspects, how fast, and who is told. */
export interface StationRunOptions {
  readonly client: StationClient;
  readonly ledger: RunLedger;
  readonly source: BoardSource;
  /** Boards that all stations together may be working on at once. */
  readonly concurrency: number;
  /** Boards a minute that stations start; null: as many as they can finish. */
  readonly ratePerMinute: number | null;
  /** Only boards that an earlier life of the run had begun: closes a run that nobody goes on with. */
  readonly begunOnly: boolean;
  readonly signal: AbortSignal;
  readonly onBoard?: (result: BoardResult) => void;
  readonly onError?: (intent: BoardIntent, error: unknown) => void;
}

/**
 * The simulated test stations of one run: parts, lots, then board after board: create, upload, confirm, infer, wait for the
 * end. First the boards that an earlier life of this run had begun, then new ones.
 *
 * Owns: nothing that must survive; the ledger does. Called by: `stations/main.ts`.
 */
export class StationRun {
  readonly #options: StationRunOptions;
  /** By part number: the lot that this run opened for it. */
  readonly #lots = new Map<string, Promise<string>>();

  constructor(options: StationRunOptions) {
    this.#options = options;
  }

  /** Resolves when every board has its end, after an abort when those have that were begun. */
  async work(): Promise<void> {
    const { ledger, source, signal, concurrency } = this.#options;
    const begun = ledger.pending();
    const paceMs = this.#options.ratePerMinute === null ? 0 : 60_000 / this.#options.ratePerMinute;
    const fresh = ledger.unintended();
    let next = fresh.next().value;
    let startAtMs = performance.now();
    const worker = async (): Promise<void> => {
      for (;;) {
        const old = begun.shift();
        if (old !== undefined) {
          await this.#inspect(old);
          continue;
        }
        if (this.#options.begunOnly || signal.aborted || (ledger.run.boards !== null && next >= ledger.run.boards))
          return;
        const index = next;
        next = fresh.next().value;
        if (paceMs > 0) {
          const waitMs = startAtMs - performance.now();
          startAtMs = Math.max(startAtMs, performance.now()) + paceMs;
          if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
          if (signal.aborted) return;
        }
        const captured = await source.board(index).capture();
        await this.#inspect(await this.#intend(index, captured), captured);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  async #intend(index: number, captured: CapturedBoard): Promise<BoardIntent> {
    const { ledger, source } = this.#options;
    const plan = source.board(index);
    const intent: BoardIntent = {
      index,
      chipId: plan.chipId,
      lotNumber: this.#lotNumber(plan.part),
      lineId: plan.lineId,
      stationId: plan.stationId,
      defects: captured.defects,
      atMs: Date.now(),
    };
    await ledger.intend(intent);
    return intent;
  }

  /** `captured` is at hand unless an earlier life of the run took the picture. */
  async #inspect(intent: BoardIntent, captured?: CapturedBoard): Promise<void> {
    try {
      const result = await this.#send(intent, captured).catch((error: unknown) => this.#refusal(intent, error));
      await this.#options.ledger.finishBoard(result);
      this.#options.onBoard?.(result);
    } catch (error) {
      // The check at the end counts it: its intent has no result.
      this.#options.onError?.(intent, error);
    }
  }

  /** The end of a board whose image was refused; throws every other error again. */
  #refusal(intent: BoardIntent, error: unknown): BoardResult {
    if (!(error instanceof ProblemError) || !IMAGE_PROBLEMS.test(String(error.problem['type']))) throw error;
    this.#options.onError?.(intent, error);
    const nowMs = Date.now();
    const { index, atMs } = intent;
    return {
      index,
      inspectionId: '',
      status: 'refused',
      reason: error.message,
      latencyMs: nowMs - atMs,
      completedAtMs: nowMs,
    };
  }

  async #send(intent: BoardIntent, captured: CapturedBoard | undefined): Promise<BoardResult> {
    const { client, source } = this.#options;
    const plan = source.board(intent.index);
    const lotId = await this.#lot(plan.part);
    const created = await client.post(
      '/v1/inspections',
      {
        lot_id: lotId,
        chip_id: intent.chipId,
        inspection_type: 'visual',
        station_id: intent.stationId,
        line_id: intent.lineId,
      },
      this.#key(intent.index, 'create'),
    );
    const inspectionId = String(created['id']);
    const path = `/v1/inspections/${inspectionId}`;
    const { image } = captured ?? (await plan.capture());
    const file = { filename: image.filename, content_type: image.contentType };
    const artifact = await client.upload(`${path}/artifacts`, file, image.bytes, this.#key(intent.index, 'upload'));
    await client.post(
      `${path}/artifacts/confirm`,
      { artifact_id: artifact['artifact_id'], ...file, metadata: expectation(intent) },
      this.#key(intent.index, 'confirm'),
    );
    await client.post(`${path}/infer`, {}, this.#key(intent.index, 'infer'));
    return this.#await(intent, inspectionId, path);
  }

  async #await(intent: BoardIntent, inspectionId: string, path: string): Promise<BoardResult> {
    const deadlineMs = performance.now() + BOARD_DEADLINE_MS;
    for (let waitMs = POLL_MS; ; waitMs = Math.min(POLL_MS_MAX, waitMs * 1.5)) {
      await sleep(waitMs);
      const inspection: Json = await this.#options.client.get(path);
      const status = inspection['status'];
      if (status === 'completed' || status === 'failed') {
        const completedAtMs = Date.parse(String(inspection['completed_at']));
        return {
          index: intent.index,
          inspectionId,
          status,
          reason: (inspection['failure_reason'] as string | null | undefined) ?? null,
          latencyMs: completedAtMs - intent.atMs,
          completedAtMs,
        };
      }
      if (performance.now() > deadlineMs) {
        throw new Error(`inspection ${inspectionId} has status ${String(status)} after ${BOARD_DEADLINE_MS / 1_000} s`);
      }
    }
  }

  /** The lot of a part in this run, opened (with the part and its golden image) when the first board needs it. */
  #lot(part: PartSpec): Promise<string> {
    let lot = this.#lots.get(part.partNumber);
    if (lot === undefined) {
      lot = this.#openLot(part);
      this.#lots.set(part.partNumber, lot);
      // A failure is reported by the board that waits; the next board tries again.
      lot.catch(() => this.#lots.delete(part.partNumber));
    }
    return lot;
  }

  async #openLot(part: PartSpec): Promise<string> {
    const { client, ledger } = this.#options;
    // Parts are per run, so that runs of different seeds never share a golden image.
    const partNumber = `${part.partNumber}-${ledger.run.id}`;
    const created = await client.post(
      '/v1/parts',
      { part_number: partNumber, part_type: 'pcb' },
      this.#key(part.partNumber, 'part'),
    );
    const partId = String(created['id']);
    if (part.golden !== undefined) {
      const image = await part.golden();
      const file = { filename: image.filename, content_type: image.contentType };
      const path = `/v1/parts/${partId}/artifacts`;
      const golden = await client.upload(path, file, image.bytes, this.#key(part.partNumber, 'golden-upload'));
      await client.post(
        `${path}/confirm`,
        { artifact_id: golden['artifact_id'], ...file },
        this.#key(part.partNumber, 'golden-confirm'),
      );
    }
    const lot = await client.post(
      '/v1/lots',
      { lot_number: this.#lotNumber(part), part_id: partId, quantity: ledger.run.boards ?? 1_000_000 },
      this.#key(part.partNumber, 'lot'),
    );
    return String(lot['id']);
  }

  #lotNumber(part: PartSpec): string {
    return `LOT-${part.partNumber}-${this.#options.ledger.run.id}`;
  }

  #key(subject: number | string, step: string): string {
    return uuidv5(`${this.#options.ledger.run.id}|${subject}|${step}`, KEY_NAMESPACE);
  }
}

/** What is known of the board before it is judged, so that the platform can tell how often each model version is right. */
function expectation({ defects }: BoardIntent): Json {
  return defects === undefined ? {} : { expected_verdict: defects.length > 0 ? 'fail' : 'pass' };
}
