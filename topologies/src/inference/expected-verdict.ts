import type { ArtifactRef } from '@chip-quality/schemas';

/**
 * What a station knows of a board before it is judged: that it is good (`pass`) or not (`fail`). Reference boards and
 * demonstration boards have it in their image's metadata.
 */
export type ExpectedVerdict = 'pass' | 'fail';

/** `expected_verdict` of an image's free-form metadata; undefined where nobody knows it. */
export function expectedVerdictOf({ metadata }: ArtifactRef): ExpectedVerdict | undefined {
  const { expected_verdict: expected } = JSON.parse(metadata) as { readonly expected_verdict?: unknown };
  return expected === 'pass' || expected === 'fail' ? expected : undefined;
}
