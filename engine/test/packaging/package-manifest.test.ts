import { expect, it } from 'vitest';
import { packageManifest } from '../../packaging/package-manifest.ts';

const manifest = { name: 'millrace', version: '1.2.3', exports: { '.': './src/index.ts' } };

it('leaves out what concerns the workspace alone, and exports the compiled modules', () => {
  const workspace = { private: true, scripts: { prepack: 'exit 1' }, devDependencies: { vitest: '5.1.1' } };
  expect(packageManifest({ ...manifest, ...workspace, dependencies: { lmdb: '3.5.6' } })).toEqual({
    name: 'millrace',
    version: '1.2.3',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    dependencies: { lmdb: '3.5.6' },
    files: ['dist', 'src', 'CHANGELOG.md'],
  });
});

it('refuses an entry point that is not compiled', () => {
  for (const source of ['./dist/index.js', './test/support/batches.ts', './src/index.mts']) {
    expect(() => packageManifest({ ...manifest, exports: { './extra': source } })).toThrow(source);
  }
});
