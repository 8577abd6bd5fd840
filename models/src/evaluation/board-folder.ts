import { existsSync } from 'node:fs';
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

/** A user's folder: what of it is a board, and what isn't. */
export interface BoardFolder {
  /** Sorted by id. */
  readonly boards: readonly FolderBoard[];
  /** Files beside the boards that are none, by their paths: other endings, and what systems leave behind (`._board.jpg`). */
  readonly ignored: readonly string[];
}

/** DeepPCB's own download has its boards this deep: PCBData/group12000/12000. */
const DEEPPCB_DEPTH_MAX = 4;
const DEEPPCB_BOARD = /^(.+)_test\.jpg$/i;

/**
 * Lists the boards of a folder. Three forms are understood: `boards/` with, where they are there, `golden/` (same file names) and
 * `annotations/ID.txt` (`x1 y1 x2 y2 class`, classes 1 to 6); DeepPCB's own download (`groupN/N/ID_test.jpg`, `ID_temp.jpg` as
 * its golden image, `groupN/N_not/ID.txt`), from any of its folders down; and plain images. Rejects with an `Error` that names the
 * file when an annotation makes no sense or two images share a name but for the ending, or the folder when it can't be read.
 */
export async function readBoardFolder(directory: string): Promise<BoardFolder> {
  const names = new Set(await namesIn(directory));
  if (!names.has('boards')) {
    const deepPcb = await deepPcbBoards(directory, 0);
    if (deepPcb.length > 0) return { boards: sorted(deepPcb), ignored: [] };
  }
  const imageDirectory = names.has('boards') ? join(directory, 'boards') : directory;
  const goldens = names.has('golden')
    ? (await imagesById(join(directory, 'golden'))).images
    : new Map<string, string>();
  const annotations = new Set(names.has('annotations') ? await readdir(join(directory, 'annotations')) : []);
  const { images, ignored } = await imagesById(imageDirectory);
  const boards: FolderBoard[] = [];
  for (const [id, imagePath] of images) {
    const annotation = `${id}.txt`;
    const truth = annotations.has(annotation)
      ? await readAnnotation(join(directory, 'annotations', annotation))
      : undefined;
    boards.push({ id, imagePath, goldenPath: goldens.get(id), truth });
  }
  return { boards: sorted(boards), ignored };
}

/** The boards of {@link readBoardFolder} alone. */
export async function loadBoardFolder(directory: string): Promise<readonly FolderBoard[]> {
  return (await readBoardFolder(directory)).boards;
}

function sorted(boards: readonly FolderBoard[]): readonly FolderBoard[] {
  return boards.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The boards of a folder of DeepPCB's download and of those below it; none in any other folder. */
async function deepPcbBoards(directory: string, depth: number): Promise<FolderBoard[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
  const annotationDirectory = `${directory}_not`;
  const boards: FolderBoard[] = [];
  for (const name of files) {
    const id = DEEPPCB_BOARD.exec(name)?.[1];
    if (id === undefined || id.startsWith('.')) continue;
    const golden = `${id}_temp.jpg`;
    const annotation = join(annotationDirectory, `${id}.txt`);
    boards.push({
      id,
      imagePath: join(directory, name),
      goldenPath: files.has(golden) ? join(directory, golden) : undefined,
      truth: existsSync(annotation) ? await readAnnotation(annotation) : undefined,
    });
  }
  if (depth === DEEPPCB_DEPTH_MAX) return boards;
  for (const entry of entries) {
    if (entry.isDirectory() && !entry.name.startsWith('.')) {
      boards.push(...(await deepPcbBoards(join(directory, entry.name), depth + 1)));
    }
  }
  return boards;
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

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`${directory}: there is no such folder`, { cause });
    if (code === 'ENOTDIR') throw new Error(`${directory} is a file; give the folder that it lies in`, { cause });
    throw new Error(`${directory} can't be read: ${(cause as Error).message}`, { cause });
  }
}

async function imagesById(
  directory: string,
): Promise<{ readonly images: Map<string, string>; readonly ignored: readonly string[] }> {
  const images = new Map<string, string>();
  const ignored: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const { name } = entry;
    const ending = extname(name);
    if (name.startsWith('.') || !IMAGE_ENDINGS.has(ending.toLowerCase())) {
      ignored.push(join(directory, name));
      continue;
    }
    const id = basename(name, ending);
    const before = images.get(id);
    if (before !== undefined) {
      throw new Error(`${join(directory, name)} and ${basename(before)} would be the same board "${id}": rename one`);
    }
    images.set(id, join(directory, name));
  }
  return { images, ignored };
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
