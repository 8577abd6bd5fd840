import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (file) => file,
  getCurrentDirectory: () => process.cwd(),
  getNewLine: () => '\n',
};

/**
 * Compiles what a tsconfig names into its `outDir`, which is emptied before: modules, declarations, and the source maps of both.
 * Throws with the compiler's messages, and then writes nothing.
 */
export function compile(configFile: string): void {
  const config = ts.getParsedCommandLineOfConfigFile(configFile, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => refuse([diagnostic]),
  });
  const outDir = config?.options.outDir;
  if (config === undefined || outDir === undefined) throw new Error(`${configFile} has no outDir`);
  refuse(config.errors);
  const program = ts.createProgram({ rootNames: config.fileNames, options: config.options });
  refuse(ts.getPreEmitDiagnostics(program));
  rmSync(outDir, { recursive: true, force: true });
  const { diagnostics } = program.emit(undefined, (file, text) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, file.endsWith('.d.ts') ? withJsSpecifiers(text) : text);
  });
  refuse(diagnostics);
}

function refuse(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, formatHost));
}

/**
 * In modules the compiler turns `./x.ts` into `./x.js`; in declarations it leaves `./x.ts`, which not every tool resolves to
 * `./x.d.ts`. The length stays the same, so that the source maps stay right.
 */
function withJsSpecifiers(declarations: string): string {
  let text = declarations;
  for (const { fileName, pos } of ts.preProcessFile(declarations, true, true).importedFiles) {
    if (!fileName.startsWith('.') || !fileName.endsWith('.ts')) continue;
    // `pos` is that of the opening quote.
    const end = pos + 1 + fileName.length;
    text = `${text.slice(0, end - 2)}js${text.slice(end)}`;
  }
  return text;
}
