import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BoardView, type DefectView, inspectionId } from '@chip-quality/schemas';
import type { PublishingLiveFeed } from '../../src/index.ts';
import { inspectionView, type PlatformDouble } from './platform-double.ts';

const LOT = '6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864';
const SIZE_PX = 640;
const MINUTE_MS = 60_000;
const LABELS = ['open', 'short', 'mousebite', 'spur', 'copper', 'pin-hole'] as const;
const TYPES = ['open', 'short', 'scratch', 'contamination', 'contamination', 'void'] as const;

/** Of these the classifier says that there is nothing. */
const DOUBTED_KIND = 1;

/** An image of a board and where its defects are. */
export interface BoardImage {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly boxes: readonly { x: number; y: number; width: number; height: number; kind: number }[];
}

/** Serves board images as an object store would: from another origin than the page. */
export class ImageStore {
  readonly images = new Map<string, BoardImage>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const id = /([0-9a-f-]{36})\.jpg/.exec(request.url ?? '')?.[1] ?? '';
      const image = this.images.get(id);
      if (image === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': image.contentType }).end(image.bytes);
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Puts made-up boards through the API's ports, as the platform would. */
export class MadeUpLine {
  readonly #platform: PlatformDouble;
  readonly #feed: PublishingLiveFeed;
  readonly #store: ImageStore;
  readonly #minutes = new Map<
    string,
    { inspected: number; passed: number; errored: number; defects: Map<string, number> }
  >();
  #count = 0;

  constructor(platform: PlatformDouble, feed: PublishingLiveFeed, store: ImageStore) {
    this.#platform = platform;
    this.#feed = feed;
    this.#store = store;
  }

  /** Finishes one board; `reason` makes it a failed inference. */
  finish(lineId: string, image: BoardImage, completedAtMs = Date.now(), reason: string | null = null): BoardView {
    this.#count += 1;
    const chipId = `44000-${String(this.#count).padStart(4, '0')}`;
    const id = inspectionId('acme', LOT, chipId, 'visual');
    const artifact = {
      artifact_id: id,
      storage_path: `inspections/${id}/raw/${id}.jpg`,
      content_type: image.contentType,
      size_bytes: image.bytes.length,
      checksum: 'd'.repeat(32),
    };
    const payload = { lot_id: LOT, chip_id: chipId, inspection_type: 'visual', artifacts: [artifact] };
    this.#platform.boards.set(id, inspectionView(id, payload, new Date(completedAtMs).toISOString()));
    const { checksum: etag, storage_path, content_type: contentType, size_bytes: sizeBytes } = artifact;
    this.#platform.stored.set(storage_path, { sizeBytes, contentType, etag });
    if (reason === null) this.#store.images.set(id, image);
    const defects = reason === null ? image.boxes.map((box, index) => defect(`${id}-${index}`, box)) : [];
    const board: BoardView = {
      inspection_id: id,
      line_id: lineId,
      chip_id: chipId,
      status: reason === null ? 'completed' : 'failed',
      verdict: reason === null ? (defects.length > 0 ? 'fail' : 'pass') : null,
      defects,
      failure_reason: reason,
      artifact_id: id,
      completed_at: new Date(completedAtMs).toISOString(),
      latency_ms: 380 + ((this.#count * 137) % 520),
    };
    this.#addToMinute(lineId, board, completedAtMs);
    this.#feed.publishBoard('acme', board);
    return board;
  }

  #addToMinute(lineId: string, board: BoardView, atMs: number): void {
    const start = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const key = `${lineId} ${start}`;
    const minute = this.#minutes.get(key) ?? { inspected: 0, passed: 0, errored: 0, defects: new Map() };
    this.#minutes.set(key, minute);
    if (board.status === 'failed') minute.errored += 1;
    else minute.inspected += 1;
    if (board.verdict === 'pass') minute.passed += 1;
    for (const { defect_type } of board.defects) {
      minute.defects.set(defect_type, (minute.defects.get(defect_type) ?? 0) + 1);
    }
    this.#feed.publishYield('acme', {
      line_id: lineId,
      window_start: new Date(start).toISOString(),
      inspected: minute.inspected,
      passed: minute.passed,
      failed: minute.inspected - minute.passed,
      errored: minute.errored,
      first_pass_yield: minute.inspected === 0 ? null : minute.passed / minute.inspected,
      defects: Object.fromEntries(minute.defects),
    });
  }
}

function defect(id: string, box: BoardImage['boxes'][number]): DefectView {
  const { kind, ...location } = box;
  const isDoubted = kind === DOUBTED_KIND;
  return {
    id,
    defect_type: TYPES[kind] ?? 'scratch',
    label: LABELS[kind] ?? 'unknown',
    severity: kind < 2 ? 'critical' : 'medium',
    location,
    confidence: 0.62 + ((box.x * 7) % 37) / 100,
    second_opinion: {
      label: isDoubted ? 'background' : (LABELS[kind] ?? 'unknown'),
      defect_type: isDoubted ? null : (TYPES[kind] ?? 'scratch'),
      probability: 0.93,
      disagrees: isDoubted,
    },
  };
}

/** A drawn board: traces, pads, and a break in a trace for each defect. */
export function drawnBoard(defects: number): BoardImage {
  const traces = Array.from({ length: 15 }, (_, index) => {
    const y = 30 + index * 40;
    return `<path d="M20 ${y}h${200 + index * 12}l30 20h${260 - index * 9}" stroke="#d9d9d9" stroke-width="9" fill="none"/>`;
  });
  const boxes = Array.from({ length: defects }, (_, index) => ({
    x: 90 + index * 60,
    y: 62 + index * 160,
    width: 26,
    height: 18,
    kind: index % LABELS.length,
  }));
  const breaks = boxes.map((box) => `<rect x="${box.x + 5}" y="${box.y}" width="14" height="18" fill="#111"/>`);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE_PX}" height="${SIZE_PX}">` +
    `<rect width="100%" height="100%" fill="#111"/>${traces.join('')}${breaks.join('')}</svg>`;
  return { contentType: 'image/svg+xml', bytes: new TextEncoder().encode(svg), boxes };
}
