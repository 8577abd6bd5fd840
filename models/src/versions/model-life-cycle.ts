import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type DetectorVersion } from '@chip-quality/schemas';
import type { InferenceEngine } from '../inference-port.ts';
import type { OwnedDetector } from '../judging/choose-by-golden.ts';
import { makeResilient, type ResilienceOptions } from '../judging/resilient-engine.ts';
import { type Deployment, placeOf } from './deployment.ts';
import type { ModelObserver } from './model-observer.ts';
import { ShadowRunner } from './shadow-runner.ts';
import { TrialRunner } from './trial-runner.ts';
import { VersionSlot } from './version-slot.ts';

/** A version that does not load is tried again with waits that double: nine tries are four minutes, time to mend a folder. */
const LOAD_TRIES_MAX = 9;
const LOAD_WAIT_MS = 1_000;
const LOAD_WAIT_MAX_MS = 60_000;

/** Settings of {@link ModelLifeCycle}. */
export interface ModelLifeCycleOptions {
  /** Name that results carry; the model's folder in the repository. */
  readonly modelName: string;
  /** Loads a version of the repository; rejects with `InferenceError` when that fails. */
  readonly open: (version: string) => Promise<InferenceEngine>;
  /** Told of everything that happens. */
  readonly observer: ModelObserver;
  /** Deadlines and bounds of each version's calls. Default: those of `makeResilient`. */
  readonly resilience?: ResilienceOptions;
  /** First wait before a version that did not load is tried again. Default 1,000. */
  readonly loadWaitMs?: number;
}

interface Active {
  readonly deployment: Deployment;
  readonly production: VersionSlot;
  readonly candidate: VersionSlot | undefined;
  /** One object each, so that callers can group inspections by their route. */
  readonly plain: DetectorVersion;
  readonly shadowed: DetectorVersion;
  readonly shadow: ShadowRunner | undefined;
  readonly trial: TrialRunner | undefined;
}

/**
 * The versions of one model as one detector: loads what a deployment wants, switches, drains what it replaces.
 *
 * Owns: the loaded versions, the shadow. Called by: the follower of deployments (`follow`) and the inference topology (`route`).
 * Invariants: I1 there is always a version that answers, from `start` to `close`: a deployment that can't be loaded
 * changes nothing; I2 no call fails for a switch: begun calls end where they began; I3 the deployment that was followed
 * last wins; I4 a candidate that fails, on trial or as a shadow, costs no board its verdict.
 */
export class ModelLifeCycle implements OwnedDetector {
  /** Name that results carry, whichever version gave them. */
  readonly modelName: string;
  readonly #options: ModelLifeCycleOptions;
  readonly #slots = new Map<string, VersionSlot>();
  readonly #closing = new AbortController();
  #active: Active | undefined;
  #wanted: Deployment | undefined;
  #superseded = new AbortController();
  #working: Promise<void> = Promise.resolve();
  readonly #draining = new Set<Promise<void>>();

  /** Loads nothing yet: see {@link ModelLifeCycle.start}. */
  constructor(options: ModelLifeCycleOptions) {
    this.#options = options;
    this.modelName = options.modelName;
  }

  /** Loads the first deployment. Rejects with the loader's error, without trying again. */
  async start(deployment: Deployment): Promise<void> {
    this.#wanted = deployment;
    await this.#apply(deployment);
  }

  /**
   * Makes a deployment the wanted one; resolves when it judges, when it was given up or when another took its place. Never rejects:
   * the observer is told.
   */
  follow(deployment: Deployment): Promise<void> {
    this.#wanted = deployment;
    this.#superseded.abort();
    this.#superseded = new AbortController();
    const signal = AbortSignal.any([this.#superseded.signal, this.#closing.signal]);
    this.#working = this.#working.then(() => this.#bring(deployment, signal));
    return this.#working;
  }

  /** What judges now; undefined before `start`. */
  get deployment(): Deployment | undefined {
    return this.#active?.deployment;
  }

  /**
   * What judges this inspection at this moment: a version in a role, the same object for all inspections with the same answer. Good
   * for one call: ask again after a failure.
   */
  route(inspectionId: string): DetectorVersion {
    const active = this.#current();
    const { candidate } = active.deployment;
    if (candidate === null || placeOf(inspectionId) >= candidate.share) return active.plain;
    if (candidate.mode === 'shadow') return active.shadowed;
    return active.trial === undefined || active.trial.isSuspended ? active.plain : active.trial.route;
  }

  /** Whether the version in production would be served now. */
  async ready(): Promise<boolean> {
    return this.#active !== undefined && !this.#closing.signal.aborted && this.#active.production.engine.ready();
  }

  /** Resolves when the version in production has its circuit not open. Rejects with the signal's reason. */
  whenAvailable(signal?: AbortSignal): Promise<void> {
    return this.#current().production.engine.whenAvailable(signal);
  }

  /** Calls under way reject with `InferenceError`. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
    this.#active?.shadow?.stop();
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    await Promise.all(slots.map((slot) => slot.abandon()));
    await Promise.all(this.#draining);
  }

  #current(): Active {
    if (this.#active === undefined) throw new Error(`${this.modelName} was not started`);
    return this.#active;
  }

  async #bring(deployment: Deployment, signal: AbortSignal): Promise<void> {
    const firstWaitMs = this.#options.loadWaitMs ?? LOAD_WAIT_MS;
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        await this.#apply(deployment);
        return;
      } catch (error) {
        const willRetry = tries < LOAD_TRIES_MAX && !signal.aborted;
        this.#options.observer.deploymentFailed(deployment, error, willRetry);
        if (!willRetry) {
          if (this.#wanted === deployment) this.#prune();
          return;
        }
        const waitMs = backoffMs(tries, { minMs: firstWaitMs, maxMs: LOAD_WAIT_MAX_MS }, Math.random);
        // Rejects only when it is no longer wanted.
        await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  async #apply(deployment: Deployment): Promise<void> {
    const production = await this.#slot(deployment.production);
    const candidate = deployment.candidate === null ? undefined : await this.#slot(deployment.candidate.version);
    // While it was loading, another deployment may have come: its own turn follows, and what was loaded may serve it.
    if (this.#wanted !== deployment || this.#closing.signal.aborted) return;
    const before = this.#active;
    this.#active = this.#activate(deployment, production, candidate);
    before?.shadow?.stop();
    this.#options.observer.deployed(deployment);
    this.#prune();
  }

  /** Drains and closes the versions that do not judge: replaced ones, and those loaded for a deployment that was given up. */
  #prune(): void {
    for (const [version, slot] of this.#slots) {
      if (slot === this.#active?.production || slot === this.#active?.candidate) continue;
      this.#slots.delete(version);
      const drained: Promise<void> = slot.retire().finally(() => this.#draining.delete(drained));
      this.#draining.add(drained);
    }
  }

  #activate(deployment: Deployment, production: VersionSlot, candidate: VersionSlot | undefined): Active {
    const { observer } = this.#options;
    const plain = production.route(this.modelName, (batch, options) => production.infer('production', batch, options));
    const alone = { deployment, production, candidate, plain, shadowed: plain, shadow: undefined, trial: undefined };
    if (candidate === undefined) return alone;
    if (deployment.candidate?.mode === 'split') {
      const onSuspended = (failuresInARow: number) => {
        // A batch that was begun may outlive its trial.
        if (this.#active?.deployment === deployment) observer.suspended(deployment, failuresInARow);
      };
      return { ...alone, trial: new TrialRunner(this.modelName, production, candidate, observer, onSuspended) };
    }
    const shadow = new ShadowRunner(production, candidate, observer);
    const shadowed = production.route(this.modelName, (batch, options) => shadow.infer(batch, options));
    return { ...alone, shadow, shadowed };
  }

  async #slot(version: string): Promise<VersionSlot> {
    const loaded = this.#slots.get(version);
    if (loaded !== undefined) return loaded;
    const { open, observer, resilience } = this.#options;
    const engine = makeResilient(await open(version), {
      ...resilience,
      onCircuit: (circuit) => observer.circuit(version, circuit),
    });
    const slot = new VersionSlot(version, engine, observer);
    if (this.#closing.signal.aborted) await slot.abandon();
    else this.#slots.set(version, slot);
    return slot;
  }
}
