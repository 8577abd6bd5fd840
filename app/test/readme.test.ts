import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { long, StreamsBuilder, string, TimeWindows, windowed } from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

describe('the README', () => {
  it('shows a topology that works', async () => {
    const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const code = block.slice(block.indexOf('const builder'), block.indexOf('const streams'));
    const build = new Function(
      'StreamsBuilder',
      'string',
      'long',
      'TimeWindows',
      'windowed',
      `${stripTypeScriptTypes(code)}; return builder.build();`,
    );
    const topology = build(StreamsBuilder, string, long, TimeWindows, windowed);
    const driver = new TopologyTestDriver(topology, { applicationId: 'yield' });
    const boards = driver.createInputTopic('boards', string(), string());
    boards.pipeInput('line-1:a', 'fail', 1_000);
    boards.pipeInput('line-1:b', 'pass', 2_000);
    boards.pipeInput('line-1:c', 'fail', 3_000);
    const failures = driver.createOutputTopic('failures', windowed(string(), 60_000), long());
    expect(failures.readRecordsToList().map(({ key, value }) => [key?.key, key?.window.startMs, value])).toEqual([
      ['line-1', 0, 1],
      ['line-1', 0, 2],
    ]);
    await driver.close();
  });

  it('names only npm scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: object };
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
    for (const [, path] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(() => readFileSync(fileURLToPath(new URL(path as string, root)))).not.toThrow();
    }
  });
});
