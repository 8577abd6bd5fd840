import fc from 'fast-check';
import { expect } from 'vitest';
import type { StateStore } from '../../src/state/state-store.ts';
import { StoreFixture } from './store-fixture.ts';

/** Directions as scans name them. */
export const direction = fc.constantFrom('forward' as const, 'reverse' as const);

/** What an arbitrary makes. */
export type Made<A> = A extends fc.Arbitrary<infer T> ? T : never;

/** A store and what it should hold. */
export interface Modelled<S, C, M> {
  readonly make: () => S;
  readonly persistent: boolean;
  /** Puts and reads; commits, rollbacks and reopenings come between them by themselves. */
  readonly command: fc.Arbitrary<C>;
  readonly empty: () => M;
  readonly copy: (model: M) => M;
  /** Does the same to both and compares the answers. */
  readonly run: (store: S, model: M, command: C) => void;
  /** Compares all that is there at the end. */
  readonly compare?: (store: S, model: M) => void;
}

/** Runs random commands against a store and a naive model of it. */
export function expectAgreement<S extends StateStore, C, M>(modelled: Modelled<S, C, M>): void {
  const step = fc.oneof(
    { weight: 6, arbitrary: modelled.command.map((command) => ({ command })) },
    { weight: 1, arbitrary: fc.constantFrom('commit' as const, 'rollback' as const, 'reopen' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const fixture = new StoreFixture();
      const store = modelled.make();
      store.open(fixture.context);
      try {
        runSteps(modelled, store, fixture, steps);
      } finally {
        store.close();
        fixture.remove();
      }
    }),
    { numRuns: modelled.persistent ? 60 : 200 },
  );
}

function runSteps<S extends StateStore, C, M>(
  { persistent, empty, copy, run, compare }: Modelled<S, C, M>,
  store: S,
  fixture: StoreFixture,
  steps: readonly ('commit' | 'rollback' | 'reopen' | { readonly command: C })[],
): void {
  let model = empty();
  let committed = empty();
  let offset = 0;
  for (const step of steps) {
    switch (step) {
      case 'commit':
        offset += 1;
        store.commit(offset);
        committed = copy(model);
        break;
      case 'rollback':
        expect(store.rollback()).toBe(persistent);
        if (persistent) model = copy(committed);
        break;
      case 'reopen':
        store.close();
        store.open(fixture.context);
        model = persistent ? copy(committed) : empty();
        expect(store.restoredOffset).toBe(persistent && offset > 0 ? offset : undefined);
        break;
      default:
        run(store, model, step.command);
    }
  }
  compare?.(store, model);
}
