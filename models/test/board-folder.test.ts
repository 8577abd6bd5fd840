import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadBoardFolder, readBoardFolder } from '../src/index.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boards-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function put(path: string, text = ''): Promise<void> {
  await mkdir(join(directory, path, '..'), { recursive: true });
  await writeFile(join(directory, path), text);
}

describe('loadBoardFolder', () => {
  test('refuses two images that would be one board, and names them', async () => {
    await put('boards/a.jpg');
    await put('boards/a.png');
    await expect(loadBoardFolder(directory)).rejects.toThrow(
      /a\.(jpg|png) and a\.(jpg|png) would be the same board "a"/,
    );
  });

  test('reads the DeepPCB form, with golden and annotations where they are', async () => {
    await put('boards/b.jpg');
    await put('boards/a.jpg');
    await put('boards/notes.txt');
    await put('golden/a.jpg');
    await put('annotations/a.txt', '10 20 40 60 3\n\n1 2 30 40 6\n');
    const [a, b, ...rest] = await loadBoardFolder(directory);
    expect(rest).toEqual([]);
    expect(a).toMatchObject({ id: 'a', goldenPath: join(directory, 'golden', 'a.jpg') });
    expect(a?.truth).toEqual([
      { x1: 10, y1: 20, x2: 40, y2: 60, label: 'mousebite' },
      { x1: 1, y1: 2, x2: 30, y2: 40, label: 'pin_hole' },
    ]);
    expect(b).toMatchObject({ id: 'b', goldenPath: undefined, truth: undefined });
  });

  test('takes a folder of plain images', async () => {
    await put('one.png');
    await put('two.JPG');
    expect((await loadBoardFolder(directory)).map(({ id }) => id)).toEqual(['one', 'two']);
  });

  test('names the annotation that makes no sense', async () => {
    await put('boards/a.jpg');
    for (const line of ['1 2 3', '1 2 30 40 7', '30 2 1 40 1', 'x 2 30 40 1']) {
      await put('annotations/a.txt', line);
      await expect(loadBoardFolder(directory)).rejects.toThrow(/a\.txt/);
    }
  });

  test('rejects when the folder is not there', async () => {
    await expect(loadBoardFolder(join(directory, 'missing'))).rejects.toThrow(/missing: there is no such folder/);
  });

  test("P14: understands DeepPCB's own download, from any of its folders down", async () => {
    await put('PCBData/group00041/00041/00041000_test.jpg');
    await put('PCBData/group00041/00041/00041000_temp.jpg');
    await put('PCBData/group00041/00041_not/00041000.txt', '466 441 493 470 3\n');
    await put('PCBData/group12000/12000/12000007_test.jpg');
    await put('PCBData/trainval.txt', 'group00041/00041/00041000.jpg group00041/00041_not/00041000.txt');
    for (const from of ['.', 'PCBData', 'PCBData/group00041', 'PCBData/group00041/00041']) {
      const [first] = await loadBoardFolder(join(directory, from));
      expect(first, from).toMatchObject({
        id: '00041000',
        goldenPath: join(directory, 'PCBData/group00041/00041/00041000_temp.jpg'),
        truth: [{ x1: 466, y1: 441, x2: 493, y2: 470, label: 'mousebite' }],
      });
    }
    const all = await loadBoardFolder(directory);
    expect(all.map(({ id, goldenPath, truth }) => [id, goldenPath === undefined, truth])).toEqual([
      ['00041000', false, expect.any(Array)],
      ['12000007', true, undefined],
    ]);
  });

  test('P13: what systems leave beside images is no board, and is named with everything else that is none', async () => {
    await put('a.jpg');
    await put('._a.jpg');
    await put('.DS_Store');
    await put('notes.docx');
    const { boards, ignored } = await readBoardFolder(directory);
    expect(boards.map(({ id }) => id)).toEqual(['a']);
    expect(ignored.map((path) => path.slice(directory.length + 1)).sort()).toEqual(
      ['._a.jpg', '.DS_Store', 'notes.docx'].sort(),
    );
  });
});
