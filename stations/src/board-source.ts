import type { KnownDefect } from './run-ledger.ts';

/** An image file as a camera delivers it. */
export interface ImageFile {
  /** The file as it is on the camera. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `image/jpeg` or `image/png`. */
  readonly contentType: string;
  /** Name under which it is uploaded. */
  readonly filename: string;
}

/** The image of a board, and what is known about the board. */
export interface CapturedBoard {
  /** What the camera took. */
  readonly image: ImageFile;
  /** What is really wrong with it; undefined where nobody knows. */
  readonly defects: readonly KnownDefect[] | undefined;
}

/** What is the same for all boards of a lot: the part and its golden image. */
export interface PartSpec {
  /** By which the platform knows the part. */
  readonly partNumber: string;
  /** The defect-free template; undefined where there is none. */
  readonly golden: (() => Promise<ImageFile>) | undefined;
}

/** Which board comes next, and where. */
export interface BoardPlan {
  /** Serial number of the board: its number in the run, or the name of its file. */
  readonly chipId: string;
  /** What the board is: its golden image goes up before its first board. */
  readonly part: PartSpec;
  /** Production line that it runs on. */
  readonly lineId: string;
  /** Test station that takes its picture. */
  readonly stationId: string;
  /** Takes the picture: draws a generated board, or reads a file. */
  capture(): Promise<CapturedBoard>;
}

/** Where a run's boards come from. `board(i)` is the same board every time, so that a resumed run sends the same bytes. */
export interface BoardSource {
  /** Goes into the run plan: `generated`, or the folder. */
  readonly name: string;
  /** Boards it has; null: without end. */
  readonly size: number | null;
  /** A remark for the final output, e.g. that the boards were training data. */
  readonly remark: string | undefined;
  /** Board number `index`, from 0. */
  board(index: number): BoardPlan;
}

/** Content type by file ending; undefined for what the API doesn't take as an image. */
export function contentTypeOf(path: string): 'image/jpeg' | 'image/png' | undefined {
  if (/\.jpe?g$/i.test(path)) return 'image/jpeg';
  return /\.png$/i.test(path) ? 'image/png' : undefined;
}

/** Lines of the demonstration; each runs one part. */
export const DEMO_LINES = ['line-1', 'line-2', 'line-3'] as const;
/** Test stations of each line of the demonstration. */
export const STATIONS_PER_LINE = 2;

/** Line and station of a board, so that all of them get their turn. */
export function placeOnLine(index: number): { lineId: string; stationId: string } {
  const line = index % DEMO_LINES.length;
  const station = Math.floor(index / DEMO_LINES.length) % STATIONS_PER_LINE;
  const lineId = DEMO_LINES[line] as string;
  return { lineId, stationId: `${lineId}-station-${station + 1}` };
}
