import type { KnownDefect } from './run-ledger.ts';

/** An image file as a camera delivers it. */
export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly filename: string;
}

/** The image of a board, and what is known about the board. */
export interface CapturedBoard {
  readonly image: ImageFile;
  /** What is really wrong with it; undefined where nobody knows. */
  readonly defects: readonly KnownDefect[] | undefined;
}

/** What stands still while a lot runs: the part and its golden image. */
export interface PartSpec {
  readonly partNumber: string;
  /** The defect-free template; undefined where there is none. */
  readonly golden: (() => Promise<ImageFile>) | undefined;
}

export interface BoardPlan {
  readonly chipId: string;
  /** Key into the run's parts. */
  readonly part: PartSpec;
  readonly lineId: string;
  readonly stationId: string;
  capture(): Promise<CapturedBoard>;
}

/** Where a run's boards come from. `board(i)` is the same board every time, so that a resumed run sends the same bytes. */
export interface BoardSource {
  /** Goes into the run plan: `generated`, or the folder. */
  readonly name: string;
  /** Boards it has; null: as many as one likes. */
  readonly size: number | null;
  /** A remark for the final output, e.g. that the boards were training data. */
  readonly remark: string | undefined;
  board(index: number): BoardPlan;
}

/** Content type by file ending; undefined for what the API doesn't take as an image. */
export function contentTypeOf(path: string): 'image/jpeg' | 'image/png' | undefined {
  if (/\.jpe?g$/i.test(path)) return 'image/jpeg';
  return /\.png$/i.test(path) ? 'image/png' : undefined;
}

/** Lines of the demonstration; each runs one part. */
export const DEMO_LINES = ['line-1', 'line-2', 'line-3'] as const;
export const STATIONS_PER_LINE = 2;

export function placeOnLine(index: number): { lineId: string; stationId: string } {
  const line = index % DEMO_LINES.length;
  const station = Math.floor(index / DEMO_LINES.length) % STATIONS_PER_LINE;
  const lineId = DEMO_LINES[line] as string;
  return { lineId, stationId: `${lineId}-station-${station + 1}` };
}
