/** `engine/package.json`, as far as packaging reads it. */
export interface WorkspaceManifest {
  readonly name: string;
  readonly version: string;
  /** Entry points as TypeScript files under `./src/`: the workspaces run from sources. */
  readonly exports: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** What only the workspace needs. */
const workspaceKeys: readonly string[] = ['private', 'scripts', 'devDependencies'];

/**
 * The `package.json` of the package that is installed: what concerns the workspace alone is left out, and each entry point is
 * the compiled module with its declarations. Throws when an entry point is no TypeScript file under `./src/`.
 */
export function packageManifest(manifest: WorkspaceManifest): Readonly<Record<string, unknown>> {
  const kept = Object.entries(manifest).filter(([key]) => !workspaceKeys.includes(key));
  const exports = Object.entries(manifest.exports).map(([entry, source]) => {
    const [, module] = /^\.\/src\/(.+)\.ts$/.exec(source) ?? [];
    if (module === undefined) throw new Error(`The entry point ${entry} is no TypeScript file under ./src/: ${source}`);
    return [entry, { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` }] as const;
  });
  return { ...Object.fromEntries(kept), exports: Object.fromEntries(exports), files: ['dist', 'src', 'CHANGELOG.md'] };
}
