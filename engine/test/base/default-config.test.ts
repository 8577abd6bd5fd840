import { describe, expect, it } from 'vitest';
import type { StreamsOptions } from '../../src/base/config.ts';
import { ConfigError, resolveConfig } from '../../src/base/default-config.ts';

const resolve = (options: object) => resolveConfig({ applicationId: 'app', ...options } as StreamsOptions);

describe('resolveConfig', () => {
  it('fills in defaults and freezes the result', () => {
    const config = resolve({ commitIntervalMs: 7, pollMs: undefined });
    expect(config).toMatchObject({ applicationId: 'app', clientId: 'app', commitIntervalMs: 7, pollMs: 100 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ applicationId: 'has space' }, /applicationId 'has space'/],
    [{ commitIntervalMs: -1 }, /commitIntervalMs is -1; give an integer of at least 0/],
    [{ pollMs: 1.5 }, /pollMs is 1.5/],
    [{ compressionType: 'zip' }, /compressionType is 'zip'; give one of none, gzip/],
    [{ bootstrapServers: [] }, /bootstrapServers is empty/],
    [{ sessionTimeoutMs: 100, heartbeatIntervalMs: 90 }, /heartbeatIntervalMs \(90\) must be at most half/],
    [{ numStreamThreads: 2 }, /not supported yet. Give 1/],
    [{ processingGuarantee: 'exactly_once_v2' }, /not supported yet/],
    [{ numStandbyReplicas: 1 }, /not supported yet/],
    [{ commitIntervallMs: 5 }, /Unknown option 'commitIntervallMs'/],
  ])('refuses %o and says what to give', (options, message) => {
    expect(() => resolve(options)).toThrow(message);
    expect(() => resolve(options)).toThrow(ConfigError);
  });
});
