import type { ResolvedTopology, SubTopology } from '../src/topology/nodes.ts';

/**
 * Whether the order of records in each topic is the same in every run of the real runtime, when one record at a time is fed. It is not
 * where one input reaches a sub-topology through several internal topics: which of them is fetched first, nobody says.
 */
export function isOrderedStepwise(resolved: ResolvedTopology): boolean {
  const parts = resolved.subTopologies;
  const internal = new Set(
    parts.flatMap((part) => part.sourceTopics.filter((topic) => isWrittenHere(resolved, topic))),
  );
  const inputs = new Set(parts.flatMap((part) => part.sourceTopics).filter((topic) => !internal.has(topic)));
  return [...inputs].every((input) => {
    const reached = reachedFrom(resolved, input);
    return parts.every(
      (part) => part.sourceTopics.filter((topic) => internal.has(topic) && reached.has(topic)).length < 2,
    );
  });
}

/**
 * Whether it is ordered with all records fed at once, in the order of their timestamps, too: a task that reads several
 * topics takes them by timestamp, provided that nobody writes one of them meanwhile. When a global store is read,
 * nobody says.
 */
export function isOrderedAtOnce(resolved: ResolvedTopology): boolean {
  const isOrdered = ({ sourceTopics }: SubTopology): boolean =>
    sourceTopics.length === 1 || !sourceTopics.some((topic) => isWrittenHere(resolved, topic));
  return resolved.globalStores.length === 0 && resolved.subTopologies.every(isOrdered);
}

/** One input record is one record to every task: nothing that it leads to comes back through a topic. */
export function crossesNoTopic(resolved: ResolvedTopology): boolean {
  return !resolved.subTopologies.some((part) => part.sourceTopics.some((topic) => isWrittenHere(resolved, topic)));
}

function isWrittenHere({ subTopologies }: ResolvedTopology, topic: string): boolean {
  return subTopologies.some((part) => part.sinkTopics.includes(topic));
}

/** All topics that a record of this one may lead to. */
function reachedFrom({ subTopologies }: ResolvedTopology, input: string): ReadonlySet<string> {
  const reached = new Set([input]);
  // A set that grows while it is walked through is walked through to its end.
  for (const topic of reached) {
    for (const part of subTopologies) {
      if (part.sourceTopics.includes(topic)) for (const sink of part.sinkTopics) reached.add(sink);
    }
  }
  return reached;
}
