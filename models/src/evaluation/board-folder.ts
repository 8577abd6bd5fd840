import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { type BoardDefect, DEFECT_LABELS } from '../boards/defect-placement.ts';
import type { TrueDefect } from './score-detections.ts';

/** One board image of a user's folder; the files are read when they are needed. */
export interface FolderBoard {
  /** File name without its ending. */
  readonly id: string;
  /** File of the board's image. */
  readonly imagePath: string;
  /** File of the golden image of its part; undefined where the folder has none. */
  readonly goldenPath: string | undefined;
  /** What is wrong with it; `undefined` where the folder has no annotation for it. */
  readonly truth: readonly TrueDefect[] | undefined;
}

const IMAGE_ENDINGS: ReadonlySet<string> = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff']);

/**
 * Lists the boards of a folder, sorted by id. In the DeepPCB form there is `boards/`, and beside it
 * `golden/` (same file names) and `annotations/ID.txt` (`x1 y1 x2 y2 class`, classes 1 to 6) are
 * used where they are; a folder without `boards/` is taken as plain images. Rejects with an `Error`
 * that names the file when an annotation makes no sense or two images share a name but for the ending, and with the system's error when the folder
 * cannot be read.
 */
export async function loadBoardFolder(directory: string): Promise<FolderBoard[]> {
  const names = new Set(await readdir(directory));
  const imageDirectory = names.has('boards') ? join(directory, 'boards') : directory;
  const goldens = names.has('golden') ? await imagesById(join(directory, 'golden')) : new Map();
  const annotations = new Set(names.has('annotations') ? await readdir(join(directory, 'annotations')) : []);
  const boards: FolderBoard[] = [];
  for (const [id, imagePath] of await imagesById(imageDirectory)) {
    const annotation = `${id}.txt`;
    const truth = annotations.has(annotation)
      ? await readAnnotation(join(directory, 'annotations', annotation))
      : undefined;
    boards.push({ id, imagePath, goldenPath: goldens.get(id), truth });
  }
  return boards.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A generated board's defects in the form that annotations and detections have. */
export function truthOf(defects: readonly BoardDefect[]): TrueDefect[] {
  return defects.map(({ x, y, width, height, label }) => ({
    x1: x,
    y1: y,
    x2: x + width,
    y2: y + height,
    label,
  }));
}

async function imagesById(directory: string): Promise<Map<string, string>> {
  const images = new Map<string, string>();
  for (const name of await readdir(directory)) {
    const ending = extname(name);
    if (!IMAGE_ENDINGS.has(ending.toLowerCase())) continue;
    const id = basename(name, ending);
    const before = images.get(id);
    if (before !== undefined) {
      throw new Error(`${join(directory, name)} and ${basename(before)} would be the same board "${id}": rename one`);
    }
    images.set(id, join(directory, name));
  }
  return images;
}

async function readAnnotation(path: string): Promise<TrueDefect[]> {
  const defects: TrueDefect[] = [];
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    if (line.trim() === '') continue;
    const [x1, y1, x2, y2, classNumber] = line
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    const label = DEFECT_LABELS[(classNumber ?? 0) - 1];
    if (
      x1 === undefined ||
      y1 === undefined ||
      x2 === undefined ||
      y2 === undefined ||
      !(x2 > x1 && y2 > y1) ||
      label === undefined
    ) {
      throw new Error(`${path}: "${line.trim()}" is not "x1 y1 x2 y2 class"`);
    }
    defects.push({ x1, y1, x2, y2, label });
  }
  return defects;
}
