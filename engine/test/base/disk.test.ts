import { expect, it } from 'vitest';
import { systemDisk } from '../../src/base/system-disk.ts';
import { describeDisk } from '../contract/disk.ts';
import { MemoryDisk } from '../support/memory-disk.ts';

describeDisk('the disk of the machine', () => systemDisk);
describeDisk('a disk in memory', () => new MemoryDisk());

it('a disk in memory fails as often as it is told, and tears what it writes', () => {
  const disk = new MemoryDisk();
  const folder = disk.makeTemporaryFolderSync('x');
  disk.failNext({ operation: 'writeTextSync', path: /full$/, code: 'ENOSPC', times: 2 });
  disk.failNext({ operation: 'appendTextSync', path: /torn$/, code: 'EIO', tornAfter: 3 });
  for (let call = 0; call < 2; call += 1) {
    expect(() => disk.writeTextSync(`${folder}/full`, 'text')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  }
  expect(disk.namesSync(folder)).toEqual([]);
  disk.writeTextSync(`${folder}/full`, 'text');
  disk.writeTextSync(`${folder}/torn`, 'text');
  expect(() => disk.appendTextSync(`${folder}/torn`, ', more')).toThrow(expect.objectContaining({ code: 'EIO' }));
  expect(disk.readTextSync(`${folder}/torn`)).toBe('text, m');
});
