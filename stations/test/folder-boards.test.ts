import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderBoards } from '../src/folder-boards.ts';

describe("a user's folder of images", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'folder-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function write(...names: string[]): Promise<void> {
    for (const name of names) {
      await mkdir(join(directory, name, '..'), { recursive: true });
      await writeFile(join(directory, name), 'bytes');
    }
  }

  it('gives every file a chip id of its own, also where names become the same without their odd characters', async () => {
    const long = 'x'.repeat(120);
    await write('a b.jpg', 'a_b.jpg', 'ä.png', 'ö.png', `${long}1.jpg`, `${long}2.jpg`, 'notes.txt');
    const source = await folderBoards(directory);
    expect(source.size).toBe(6);
    const chipIds = Array.from({ length: 6 }, (_, index) => source.board(index).chipId);
    expect(new Set(chipIds).size).toBe(6);
    for (const chipId of chipIds) expect(chipId).toMatch(/^[A-Za-z0-9._-]{1,100}$/);
  });

  it('makes a part of its own for each golden image, and one for all boards without', async () => {
    await write('boards/1.jpg', 'boards/2.jpg', 'boards/3.jpg', 'golden/2.png');
    const source = await folderBoards(directory);
    const parts = [0, 1, 2].map((index) => source.board(index).part);
    expect(parts.map(({ golden }) => golden !== undefined)).toEqual([false, true, false]);
    expect(parts[0]?.partNumber).toBe(parts[2]?.partNumber);
    expect((await parts[1]?.golden?.())?.contentType).toBe('image/png');
  });

  it('says so when there is nothing to inspect', async () => {
    await write('notes.txt');
    await expect(folderBoards(directory)).rejects.toThrow('no JPEG or PNG images');
    await expect(folderBoards(join(directory, 'nowhere'))).rejects.toThrow('there is no such folder');
  });
});
