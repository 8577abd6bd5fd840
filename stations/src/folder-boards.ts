import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { readBoardFolder } from '@chip-quality/models';
import { type BoardSource, contentTypeOf, type PartSpec, placeOnLine } from './board-source.ts';

/** Boards without a golden image share one part. */
const PART_WITHOUT_GOLDEN = 'images';
/** Chip ids have 100 characters at most; file names may have 255. */
const CHIP_ID_LENGTH_MAX = 100;
/** Of files that are no boards, so many are named: enough to recognise a wrong folder. */
const NAMES_TOLD_MAX = 3;

/**
 * The boards of a user's folder. Each golden image makes a part of its own, since it is the template of exactly that crop.
 * Rejects when the folder can't be read or holds no JPEG or PNG.
 */
export async function folderBoards(directory: string): Promise<BoardSource> {
  const path = resolve(directory);
  const { boards: all, ignored } = await readBoardFolder(path);
  const boards = all.filter(({ imagePath }) => contentTypeOf(imagePath) !== undefined);
  if (boards.length === 0) throw new Error(`${path}: no JPEG or PNG images (looked in boards/ where it is there)`);
  const skipped = all.length - boards.length;
  const withGolden = boards.filter(({ goldenPath }) => goldenPath !== undefined).length;
  const annotated = boards.filter(({ truth }) => truth !== undefined).length;
  const chipIds = uniqueChipIds(boards.map(({ id }) => id));
  const remarks = [
    `${boards.length} images, ${withGolden} with a golden image, ${annotated} annotated`,
    ...(skipped > 0 ? [`${skipped} skipped: only JPEG and PNG can be uploaded`] : []),
    ...(ignored.length > 0 ? [`${ignored.length} other files left out (${shortList(ignored)})`] : []),
    ...(annotated > 0
      ? [
          'if these are boards that the shipped detector was trained on (DeepPCB training boards are), precision and recall flatter it',
        ]
      : []),
  ];
  return {
    name: path,
    size: boards.length,
    remark: remarks.join('; '),
    board(index) {
      const board = boards[index];
      if (board === undefined) throw new RangeError(`${path} has ${boards.length} images, there is no ${index}`);
      const chipId = chipIds[index] as string;
      const part: PartSpec =
        board.goldenPath === undefined
          ? { partNumber: PART_WITHOUT_GOLDEN, golden: undefined }
          : { partNumber: `image-${index}`, golden: imageAt(board.goldenPath) };
      return {
        ...placeOnLine(index),
        chipId,
        part,
        async capture() {
          return { image: await imageAt(board.imagePath)(), defects: board.truth };
        },
      };
    },
  };
}

/** A few names of many. */
function shortList(paths: readonly string[]): string {
  const names = paths.slice(0, NAMES_TOLD_MAX).map((path) => basename(path));
  return paths.length > NAMES_TOLD_MAX ? `${names.join(', ')}, …` : names.join(', ');
}

/** Chip ids made of file names: two names that become the same (`a b`, `a_b`; `a.jpg`, `a.png`) get a number. */
function uniqueChipIds(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
    let chipId = plain.slice(0, CHIP_ID_LENGTH_MAX);
    for (let copy = 2; taken.has(chipId); copy += 1) {
      const suffix = `-${copy}`;
      chipId = plain.slice(0, CHIP_ID_LENGTH_MAX - suffix.length) + suffix;
    }
    taken.add(chipId);
    return chipId;
  });
}

function imageAt(path: string) {
  return async () => ({
    bytes: new Uint8Array(await readFile(path)),
    // A golden image in a format that can't be uploaded is refused by the API, with the reason.
    contentType: contentTypeOf(path) ?? 'application/octet-stream',
    // The cut may fall into the middle of a character.
    filename: `${basename(path, extname(path)).slice(0, CHIP_ID_LENGTH_MAX).toWellFormed()}${extname(path)}`,
  });
}
