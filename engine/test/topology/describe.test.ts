import { describe, expect, test } from 'vitest';
import { hasVector, vectorText } from '../../conformance/vectors.ts';
import { programs, topologyOf } from './describe-programs.ts';

describe('programs of our own that Kafka Streams described', () => {
  test.each(Object.keys(programs))('%s reads the same', (name) => {
    expect(String(topologyOf(name).describe())).toBe(vectorText(`describe-programs/${name}.txt`));
  });

  test.each(Object.keys(programs))('%s leaves the same names to be generated', (name) => {
    const text = vectorText(`describe-programs/${name}.unnamed.txt`);
    const build = () => topologyOf(name, { ensureExplicitInternalResourceNaming: true });
    if (text === '') expect(build).not.toThrow();
    else expect(build).toThrow(text.trimEnd());
  });

  test.each(Object.keys(programs))('%s reads the same with all optimisations', (name) => {
    const changed = `describe-programs/${name}.optimized.txt`;
    const text = vectorText(hasVector(changed) ? changed : `describe-programs/${name}.txt`);
    expect(String(topologyOf(name, { topologyOptimization: 'all' }).describe())).toBe(text);
  });
});
