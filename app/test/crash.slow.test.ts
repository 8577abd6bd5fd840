import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const localDirectory = join(root, '.local', 'test-crash');

const BOARDS = 300;
const KILLS = 10;
/** After the stations began: anywhere from the first request to well into the run. */
const KILL_AFTER_MS_MAX = 4_000;
/** From a start to the first board, on a busy machine. */
const START_MS_MAX = 240_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Mulberry-like step: the kills of a seed come at the same moments. */
function random(state: { value: number }): number {
  state.value = (Math.imul(state.value ^ (state.value >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
  return state.value / 2 ** 32;
}

function start(): { child: ChildProcess; output: () => string; exited: Promise<number | null> } {
  const child = spawn('npm', ['start', '--', '--boards', String(BOARDS), '--exit'], {
    cwd: root,
    env: { ...process.env, LOCAL_DIR: localDirectory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  return { child, output: () => text, exited };
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      rows.push({ pid: Number(name), parent: Number(fields[1]), command });
    } catch {
      // The process ended while we looked.
    }
  }
  return rows;
}

/** `kill -9` of a start and all that is our own code below it; broker, database and store are left to the stack's supervisor. */
function killOwnCode(top: number): number {
  const all = processes();
  const doomed = [top];
  for (let at = 0; at < doomed.length; at += 1) {
    for (const row of all) {
      if (row.parent === doomed[at] && !row.command.includes('supervisor-main')) doomed.push(row.pid);
    }
  }
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
  return doomed.length;
}

describe('kill -9 in the middle of a run', () => {
  let last: ChildProcess | undefined;
  afterAll(() => {
    if (last?.exitCode === null && last.pid !== undefined) killOwnCode(last.pid);
    rmSync(localDirectory, { recursive: true, force: true });
  });

  it(`loses and doubles nothing over ${KILLS} kills (SEED=${seed})`, async () => {
    const state = { value: seed };
    let kills = 0;
    while (kills < KILLS) {
      const run = start();
      last = run.child;
      const deadline = Date.now() + START_MS_MAX;
      while (!run.output().includes('stations are working')) {
        if (run.child.exitCode !== null) throw new Error(`SEED=${seed}: the start ended early\n${run.output()}`);
        if (Date.now() > deadline) throw new Error(`SEED=${seed}: no board after ${START_MS_MAX} ms\n${run.output()}`);
        await sleep(20);
      }
      await sleep(random(state) * KILL_AFTER_MS_MAX);
      expect(run.child.exitCode, `the run was over before kill ${kills + 1}:\n${run.output()}`).toBeNull();
      expect(killOwnCode(run.child.pid as number)).toBeGreaterThanOrEqual(3);
      await run.exited;
      kills += 1;
    }
    const final = start();
    last = final.child;
    const code = await final.exited;
    const line = final.output().trim().split('\n').at(-1);
    expect(line, `SEED=${seed}\n${final.output()}`).toMatch(
      new RegExp(`^boards=${BOARDS} completed=${BOARDS} lost=0 duplicated=0 `),
    );
    expect(code).toBe(0);
  });
});
