import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INFERENCE_PRIORITIES, topicSpecs } from '@chip-quality/schemas';
import { bytes, systemClock, type Topology } from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  type AnyFlow,
  BoardInspector,
  type FlowPorts,
  type FlowsOf,
  flows,
  flowsOf,
  ownerOf,
  type PlatformFlow,
  type QueryableStore,
} from '../src/index.ts';
import { serdes } from './support/driver.ts';

const platformTopics = topicSpecs.map(({ topic }) => topic);

/** Everything that flows need, doing nothing. */
const ports = {
  serdes,
  store: 'memory' as const,
  clock: systemClock,
  inspector: new BoardInspector({
    images: { load: () => Promise.reject(new Error('no image is asked for')) },
    decode: (file) => Promise.resolve(file),
    detector: {
      modelName: 'none',
      route: () => {
        throw new Error('no board is judged');
      },
    },
    clock: systemClock,
  }),
  makeSqlSink: () => ({
    isFull: false,
    open: async () => new Map(),
    // Values are decoded when somebody looks at them.
    write: (record: { readonly value: unknown }) => void record.value,
    commit: async () => {},
    close: async () => {},
  }),
};

const built = flows.map((flow) => ({ flow: flow as AnyFlow, topology: flow.build(ports) }));

/** Shared topics that a topology reads and writes; what its application makes for itself is left out. */
function sharedTopics(id: string, topology: Topology): { readonly reads: string[]; readonly writes: string[] } {
  const { subTopologies } = topology.resolve(id);
  const isShared = (topic: string): boolean => !topic.startsWith(`${id}-`);
  const all = (of: (sub: (typeof subTopologies)[number]) => readonly string[]) =>
    [...new Set(subTopologies.flatMap(of))].filter(isShared).sort();
  return { reads: all((sub) => sub.sourceTopics), writes: all((sub) => sub.sinkTopics) };
}

describe('the flows of the platform', () => {
  it('have ids of their own, and so have the stores that others query', () => {
    const ids = flows.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const stores = flows.flatMap((flow): readonly QueryableStore[] => flow.stores);
    expect(new Set(stores).size).toBe(stores.length);
    for (const store of stores) expect(ownerOf(store).stores).toContain(store);
  });

  it('all run: each has a role, and each lane of inference has a flow', () => {
    expect([...flowsOf('api'), ...flowsOf('worker')].map(({ id }) => id).sort()).toEqual(
      flows.map(({ id }) => id).sort(),
    );
    expect(flows.filter(({ id }) => id.startsWith('platform-inference'))).toHaveLength(INFERENCE_PRIORITIES.length);
  });

  it('lose no record unnoticed: of every input somebody reports what can’t be read', () => {
    const reported = new Set<string>(flows.flatMap((flow) => ('topic' in flow.deadLetters ? flow.inputs : [])));
    for (const flow of flows) for (const input of flow.inputs) expect(reported, flow.id).toContain(input);
  });

  it.each(built.map((each) => [each.flow.id, each] as const))('%s says what it is', (id, { flow, topology }) => {
    const { reads, writes } = sharedTopics(id, topology);
    expect([...flow.inputs].sort()).toEqual(reads);
    for (const topic of [...reads, ...writes]) expect(platformTopics).toContain(topic);
    const kept = topology.resolve(id).subTopologies.flatMap(({ stores }) => stores.map(({ builder }) => builder.name));
    for (const store of flow.stores) expect(kept).toContain(store);
  });

  it.each(built.map((each) => [each.flow.id, each] as const))(
    '%s leaves what it can’t read where it says',
    async (id, { flow, topology }) => {
      const { deadLetters } = flow;
      const deadLetterTopic = 'topic' in deadLetters ? deadLetters.topic : undefined;
      if ('none' in deadLetters) expect(deadLetters.none).not.toBe('');
      else {
        expect(platformTopics).toContain(deadLetters.topic);
        // Its own dead letters would come back to it for ever.
        expect(flow.inputs).not.toContain(deadLetters.topic);
      }
      const driver = new TopologyTestDriver(topology, {
        ...flow.options,
        applicationId: id,
        deadLetterQueueTopicName: deadLetterTopic,
        deserializationExceptionHandler: () => 'continue',
      });
      await driver.settle();
      const before = new Set(driver.producedTopicNames);
      for (const input of flow.inputs) {
        driver.createInputTopic(input, serdes.key, bytes()).pipeInput('key', Buffer.from('no Avro'), 0);
      }
      await driver.settle();
      const written = [...driver.producedTopicNames].filter((topic) => !before.has(topic));
      expect(written).toEqual(deadLetterTopic === undefined ? [] : [deadLetterTopic]);
      if (deadLetterTopic !== undefined) {
        expect(driver.createOutputTopic(deadLetterTopic, bytes(), bytes()).readValuesToList()).toHaveLength(
          flow.inputs.length,
        );
      }
      await driver.close();
    },
  );
});

/** Functions of this name make a topology, and only a flow's `build` may call them. */
const BUILDS_TOPOLOGY = /^build\w*Topology$/;
const sources = join(import.meta.dirname, '../src');

/** The functions of a file that make a topology, and those of them that no `build` of a `defineFlow` names. */
function topologiesOf(source: string): { readonly built: string[]; readonly unreachable: string[] } {
  const file = ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest, true);
  const functions: string[] = [];
  const named = new Set<string>();
  const collect = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) named.add(node.text);
    ts.forEachChild(node, collect);
  };
  const visit = (node: ts.Node): void => {
    const name =
      ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node) ? node.name?.getText(file) : undefined;
    if (name !== undefined && BUILDS_TOPOLOGY.test(name)) functions.push(name);
    const isBuild = ts.isPropertyAssignment(node) && node.name.getText(file) === 'build';
    if (isBuild && node.parent.parent.getText(file).startsWith('defineFlow(')) collect(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { built: functions, unreachable: functions.filter((name) => !named.has(name)) };
}

describe('a topology', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

  it('is always built by a flow, and every flow is in the list', async () => {
    const listed = new Set<unknown>(flows.map(({ id }) => id));
    let count = 0;
    for (const file of files) {
      const { built: functions, unreachable } = topologiesOf(readFileSync(join(sources, file), 'utf8'));
      expect(unreachable, file).toEqual([]);
      if (functions.length === 0) continue;
      count += 1;
      const exported = Object.values((await import(join(sources, file))) as Record<string, unknown>).flat();
      const ids = exported.flatMap((value) => (isFlow(value) ? [value.id] : []));
      expect(ids, file).not.toEqual([]);
      for (const id of ids) expect(listed, file).toContain(id);
    }
    // A check that reads nothing finds nothing.
    expect(count).toBeGreaterThanOrEqual(7);
  });

  it('that no flow builds is named', () => {
    const source =
      'export function buildReportTopology() {}\nexport const x = defineFlow({ build: buildOtherTopology });';
    expect(topologiesOf(source).unreachable).toEqual(['buildReportTopology']);
    expect(topologiesOf('const buildATopology = 1; defineFlow({ build: () => buildATopology() })').unreachable).toEqual(
      [],
    );
  });
});

function isFlow(value: unknown): value is AnyFlow {
  return typeof value === 'object' && value !== null && 'build' in value && 'inputs' in value;
}

describe('the compiler', () => {
  it('lets no flow be built without its ports', () => {
    const serdesOnly: FlowPorts = { serdes };
    const worker = (flow: FlowsOf<'worker'>) =>
      // @ts-expect-error a worker's flows need an inspector, a clock and a sink as well
      flow.build(serdesOnly);
    const api = (flow: FlowsOf<'api'>) => flow.build(serdesOnly);
    expect([worker, api]).toHaveLength(2);
  });

  it('knows ids, roles and stores by name', () => {
    const id: PlatformFlow['id'] = 'platform-inference-high';
    // @ts-expect-error no flow keeps such a store
    expect(() => ownerOf('reports')).toThrow('no flow keeps a store reports');
    expect(flows.map((flow) => flow.id)).toContain(id);
  });
});
