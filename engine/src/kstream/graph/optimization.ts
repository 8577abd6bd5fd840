import { TopologyError } from '../../base/errors.ts';

const single = ['reuse.ktable.source.topics', 'merge.repartition.topics', 'single.store.self.join'] as const;

/** One rule of Kafka Streams' optimiser, by the name that its configuration has. */
export type TopologyOptimizationRule = (typeof single)[number];

/** Kafka Streams' `topology.optimization`: no rule, all of them, or some. */
export type TopologyOptimization = 'none' | 'all' | TopologyOptimizationRule | readonly TopologyOptimizationRule[];

/** The rules that a setting stands for. Throws TopologyError for a rule that doesn't exist. */
export function optimizationRules(setting: TopologyOptimization | undefined): ReadonlySet<TopologyOptimizationRule> {
  if (setting === undefined || setting === 'none') return new Set();
  if (setting === 'all') return new Set(single);
  const rules = typeof setting === 'string' ? [setting] : setting;
  for (const rule of rules) {
    if (!single.includes(rule)) {
      throw new TopologyError(
        `topologyOptimization '${String(rule)}' is unknown: give 'none', 'all', or some of ${single.join(', ')}.`,
      );
    }
  }
  return new Set(rules);
}
