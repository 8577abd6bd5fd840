import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../lock.mjs';
import { DEV_FOLDER, LIBRARY_FOLDER, LOCAL_FOLDER } from '../base/paths.ts';
import { runCommand } from '../base/run-command.ts';
import { findTritonPython, thisMachine } from '../preflight.ts';

const COMPLETE_MARK = '.complete';
/** pip keeps what it has downloaded, so a broken download goes on where it stopped. */
const ATTEMPTS = 3;

/** An installed Triton: its program, its backends, and the libraries and Python packages these load. */
export interface TritonInstallation {
  readonly program: string;
  readonly backends: string;
  readonly libraries: string;
  readonly sitePackages: string;
}

/**
 * Installs Triton's server from its Python package (half a gigabyte) unless it is there, and lays out the
 * backends: its own Python backend, and ours for ONNX models.
 */
export async function installTriton(log: (line: string) => void): Promise<TritonInstallation> {
  const version = findTritonPython(thisMachine());
  if (version === undefined) throw new Error('no Python for Triton'); // preflight has looked before
  const requirements = join(DEV_FOLDER, 'triton', 'requirements.txt');
  const backend = join(DEV_FOLDER, 'triton', 'onnxruntime', 'model.py');
  const hash = createHash('sha256').update(version).update(readFileSync(requirements)).update(readFileSync(backend));
  const home = join(LIBRARY_FOLDER, `triton-${hash.digest('hex').slice(0, 10)}`);
  const sitePackages = join(home, 'lib', `python${version}`, 'site-packages');
  const server = join(sitePackages, 'pytriton', 'tritonserver');
  const installation: TritonInstallation = {
    program: join(server, 'bin', 'tritonserver'),
    backends: join(home, 'backends'),
    libraries: join(sitePackages, 'nvidia_pytriton.libs'),
    sitePackages,
  };
  if (existsSync(join(home, COMPLETE_MARK))) return installation;
  await withLock(LOCAL_FOLDER, 'triton', async () => {
    if (existsSync(join(home, COMPLETE_MARK))) return;
    log('installing Triton with pip (about 450 MB) …');
    rmSync(home, { recursive: true, force: true });
    await runCommand([`/usr/bin/python${version}`, '-m', 'venv', home]);
    await runPip([join(home, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
    const python = join(installation.backends, 'python');
    cpSync(join(server, 'backends', 'python'), python, { recursive: true });
    // Triton looks for the backend process beside the backend's library.
    const stub = 'triton_python_backend_stub';
    cpSync(join(server, 'python_backend_stubs', version, stub), join(python, stub));
    mkdirSync(join(installation.backends, 'onnxruntime'));
    cpSync(backend, join(installation.backends, 'onnxruntime', 'model.py'));
    writeFileSync(join(home, COMPLETE_MARK), '');
  });
  return installation;
}

async function runPip(command: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runCommand(command);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
