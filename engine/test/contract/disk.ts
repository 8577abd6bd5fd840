import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, isAbsent } from '../../src/base/disk.ts';

/** What every disk does alike. */
export function describeDisk(name: string, create: () => Disk): void {
  describe(name, () => {
    let disk: Disk;
    let folder: string;
    const at = (...parts: readonly string[]): string => join(folder, ...parts);

    beforeEach(() => {
      disk = create();
      folder = disk.makeTemporaryFolderSync('millrace-disk-');
    });

    afterEach(() => disk.removeSync(folder));

    const codeOf = (call: () => unknown): unknown => {
      try {
        call();
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
      return undefined;
    };
    const codeLater = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code,
      );

    it('makes new temporary folders of the names that it is asked for', () => {
      const second = disk.makeTemporaryFolderSync('millrace-disk-');
      expect(second).not.toBe(folder);
      expect(second).toContain('millrace-disk-');
      expect(disk.namesSync(second)).toEqual([]);
      disk.removeSync(second);
    });

    it('keeps a text, replaces it, adds to it', () => {
      disk.writeTextSync(at('a'), 'grün');
      expect(disk.readTextSync(at('a'))).toBe('grün');
      disk.writeTextSync(at('a'), 'x');
      disk.appendTextSync(at('a'), 'y');
      disk.appendTextSync(at('new'), 'z');
      expect([disk.readTextSync(at('a')), disk.readTextSync(at('new'))]).toEqual(['xy', 'z']);
      expect(disk.statusSync(at('a')).sizeBytes).toBe(2);
    });

    it('reads bytes from a position, fewer at the end', () => {
      disk.writeTextSync(at('a'), '0123456789');
      expect(disk.readBytesSync(at('a'), 2, 3).toString()).toBe('234');
      expect(disk.readBytesSync(at('a'), 8, 5).toString()).toBe('89');
      expect(disk.readBytesSync(at('a'), 20, 5)).toHaveLength(0);
    });

    it('makes folders with those above them, once', () => {
      disk.makeFolderSync(at('b', 'c', 'd'));
      disk.makeFolderSync(at('b', 'c', 'd'));
      disk.writeTextSync(at('b', 'x'), '');
      expect([...disk.namesSync(at('b'))].sort()).toEqual(['c', 'x']);
      expect(disk.namesSync(at('b', 'c'))).toEqual(['d']);
    });

    it('names what is in a folder only, not what is in its namesakes', async () => {
      disk.makeFolderSync(at('a', 'in'));
      disk.makeFolderSync(at('ab', 'out'));
      expect(disk.namesSync(at('a'))).toEqual(['in']);
      expect(await disk.names(at('a'))).toEqual(['in']);
    });

    it('removes files and whole folders, and what is not there', async () => {
      disk.makeFolderSync(at('a', 'b'));
      disk.writeTextSync(at('a', 'b', 'c'), 'x');
      disk.writeTextSync(at('file'), 'x');
      disk.removeSync(at('a'));
      disk.removeSync(at('a'));
      await disk.remove(at('file'));
      await disk.remove(at('file'));
      expect(disk.namesSync(folder)).toEqual([]);
    });

    it('keeps the time that a file is given, until it is written again', async () => {
      disk.writeTextSync(at('a'), 'x');
      const writtenMs = disk.statusSync(at('a')).modifiedMs;
      disk.setModifiedSync(at('a'), 1_700_000_000_250);
      expect((await disk.status(at('a'))).modifiedMs).toBeCloseTo(1_700_000_000_250, -1);
      await disk.setModified(folder, 1_600_000_000_000);
      expect(disk.statusSync(folder).modifiedMs).toBeCloseTo(1_600_000_000_000, -1);
      disk.writeTextSync(at('a'), 'y');
      expect(disk.statusSync(at('a')).modifiedMs).toBeGreaterThanOrEqual(writtenMs);
    });

    it('moves a folder with what is in it, also over an empty one, never over a full one', async () => {
      disk.makeFolderSync(at('a', 'deep'));
      disk.writeTextSync(at('a', 'deep', 'x'), 'x');
      disk.makeFolderSync(at('empty'));
      disk.makeFolderSync(at('full', 'thing'));
      expect(['ENOTEMPTY', 'EEXIST']).toContain(await codeLater(disk.rename(at('a'), at('full'))));
      expect(disk.readTextSync(at('a', 'deep', 'x'))).toBe('x');
      await disk.rename(at('a'), at('empty'));
      expect(disk.readTextSync(at('empty', 'deep', 'x'))).toBe('x');
      expect([...disk.namesSync(folder)].sort()).toEqual(['empty', 'full']);
      disk.writeTextSync(at('one'), '1');
      disk.writeTextSync(at('two'), '2');
      await disk.rename(at('one'), at('two'));
      expect(disk.readTextSync(at('two'))).toBe('1');
    });

    it('says what is wrong as Node.js does', async () => {
      disk.writeTextSync(at('file'), '');
      const missing = at('missing', 'file');
      expect(codeOf(() => disk.readTextSync(missing))).toBe('ENOENT');
      expect(codeOf(() => disk.readBytesSync(missing, 0, 1))).toBe('ENOENT');
      expect(codeOf(() => disk.writeTextSync(missing, ''))).toBe('ENOENT');
      expect(codeOf(() => disk.appendTextSync(missing, ''))).toBe('ENOENT');
      expect(codeOf(() => disk.statusSync(missing))).toBe('ENOENT');
      expect(codeOf(() => disk.setModifiedSync(missing, 0))).toBe('ENOENT');
      expect(codeOf(() => disk.namesSync(missing))).toBe('ENOENT');
      expect(await codeLater(disk.names(missing))).toBe('ENOENT');
      expect(await codeLater(disk.status(missing))).toBe('ENOENT');
      expect(await codeLater(disk.setModified(missing, 0))).toBe('ENOENT');
      expect(await codeLater(disk.rename(missing, at('x')))).toBe('ENOENT');
      expect(await codeLater(disk.rename(at('file'), missing))).toBe('ENOENT');
      expect(codeOf(() => disk.namesSync(at('file')))).toBe('ENOTDIR');
      expect(codeOf(() => disk.makeFolderSync(at('file')))).toBe('EEXIST');
      expect(codeOf(() => disk.makeFolderSync(at('file', 'inside')))).toBe('ENOTDIR');
      expect(codeOf(() => disk.writeTextSync(folder, ''))).toBe('EISDIR');
      expect(codeOf(() => disk.readTextSync(folder))).toBe('EISDIR');
      expect(isAbsent(Object.assign(new Error(), { code: 'ENOENT' }))).toBe(true);
      expect(isAbsent(Object.assign(new Error(), { code: 'EIO' }))).toBe(false);
    });
  });
}
