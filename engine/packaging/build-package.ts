import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile } from './compile.ts';
import { npm } from './npm.ts';
import { packageManifest, type WorkspaceManifest } from './package-manifest.ts';

const engineFolder = dirname(import.meta.dirname);

/**
 * Builds the package that is published: compiles `src` to `dist`, puts it together with its sources, which the source maps point
 * to, and its documents in a folder of its own, and packs that. `package.json` is rewritten in that folder only, since
 * everything in this repository runs from the sources.
 *
 * Returns the path of the archive, which lies in `destination`.
 */
export async function buildPackage(destination: string): Promise<string> {
  compile(join(engineFolder, 'tsconfig.build.json'));
  const manifest = JSON.parse(readFileSync(join(engineFolder, 'package.json'), 'utf8')) as WorkspaceManifest;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
  try {
    for (const name of ['dist', 'src', 'README.md', 'CHANGELOG.md']) {
      cpSync(join(engineFolder, name), join(folder, name), { recursive: true });
    }
    cpSync(join(dirname(engineFolder), 'LICENSE'), join(folder, 'LICENSE'));
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageManifest(manifest), undefined, 2)}\n`);
    await npm(folder, ['pack', '--ignore-scripts', '--pack-destination', destination]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return join(destination, `${manifest.name}-${manifest.version}.tgz`);
}
