import type { TopologyOptimization, TopologyOptimizationRule } from '../base/config.ts';
import { TopologyError } from '../base/errors.ts';

const SINGLE: readonly TopologyOptimizationRule[] = [
  'reuse.ktable.source.topics',
  'merge.repartition.topics',
  'single.store.self.join',
];

/** The rules that a setting stands for. Throws TopologyError for a rule that doesn't exist. */
export function optimizationRules(setting: TopologyOptimization | undefined): ReadonlySet<TopologyOptimizationRule> {
  if (setting === undefined || setting === 'none') return new Set();
  if (setting === 'all') return new Set(SINGLE);
  const rules = typeof setting === 'string' ? [setting] : setting;
  for (const rule of rules) {
    if (!SINGLE.includes(rule)) {
      throw new TopologyError(
        `topologyOptimization '${String(rule)}' is unknown: give 'none', 'all', or some of ${SINGLE.join(', ')}.`,
      );
    }
  }
  return new Set(rules);
}

/**
 * Only `StreamsBuilder.build` can optimise. Throws TopologyError where the configuration asks for rules that a built topology was
 * not given: silently running without them would name other topics than intended.
 */
export function checkOptimizationApplied(wanted: TopologyOptimization, applied: ReadonlySet<string> | undefined): void {
  const rules = optimizationRules(wanted);
  // A topology made by hand has nothing to optimise, as in Kafka Streams.
  if (applied === undefined) return;
  const missing = [...rules].filter((rule) => !applied.has(rule));
  if (missing.length === 0) return;
  throw new TopologyError(
    `The configuration asks for topologyOptimization, but the topology was built without ${missing.join(', ')}: call builder.build({ topologyOptimization: ${JSON.stringify(wanted)} }).`,
  );
}
