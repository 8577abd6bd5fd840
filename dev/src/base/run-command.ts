import { spawn } from 'node:child_process';

/** Characters of output kept for the error message. */
const OUTPUT_CHARACTERS_MAX = 20_000;

/** Options of {@link runCommand}; `runAs` needs root. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly runAs?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Runs a program to its end and returns what it printed; fails with that text when the exit code is not 0. */
export function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((done, fail) => {
    const [file, ...args] = command;
    const child = spawn(file ?? '', args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options.runAs,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => fail(new Error(`${file} could not be started: ${error.message}`, { cause: error })));
    child.once('close', (code, signal) => {
      if (code === 0) done(output);
      else fail(new Error(`${command.join(' ')} failed (${signal ?? `exit code ${code}`}):\n${output.trimEnd()}`));
    });
  });
}
