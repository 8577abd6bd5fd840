import { setTimeout as sleep } from 'node:timers/promises';
import type { Detection, DetectorInput, InferenceEngine, InferOptions } from '../inference-port.ts';
import { makeResilient, type ResilienceOptions } from '../resilience/resilient-engine.ts';
import { type Deployment, placeOf } from './deployment.ts';
import type { ModelObserver } from './model-observer.ts';
import { ShadowRunner } from './shadow-runner.ts';
import { VersionSlot } from './version-slot.ts';

/** A version that does not load is tried again with doubling waits: nine tries are five minutes, time to mend a folder. */
const LOAD_TRIES_MAX = 9;
const LOAD_WAIT_MS = 1_000;
const LOAD_WAIT_MAX_MS = 60_000;

/** Settings of {@link ModelLifeCycle}. */
export interface ModelLifeCycleOptions {
  readonly modelName: string;
  /** Loads a version of the repository; rejects with `InferenceError` when that fails. */
  readonly open: (version: string) => Promise<InferenceEngine>;
  readonly observer: ModelObserver;
  readonly resilience?: ResilienceOptions;
  /** First wait before a version that did not load is tried again. Default 1,000. */
  readonly loadWaitMs?: number;
}

/** What judges one inspection: a version in a role. Good for one call: ask again after a failure. */
export interface ModelRoute {
  readonly modelName: string;
  /** The version's folder in the model repository. */
  readonly modelVersion: string;
  readonly maxBatchSize: number;
  readonly verdictThreshold: number;
  infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]>;
}

interface Active {
  readonly deployment: Deployment;
  readonly production: VersionSlot;
  readonly candidate: VersionSlot | undefined;
  /** One object each, so that callers can group inspections by their route. */
  readonly plain: ModelRoute;
  readonly shadowed: ModelRoute;
  readonly tried: ModelRoute;
  readonly shadow: ShadowRunner | undefined;
}

/**
 * The versions of one model behind one engine: loads what a deployment wants, switches, drains what it replaces.
 *
 * Owns: the loaded versions, the shadow. Called by: the follower of deployments (`follow`) and the inference topology (`route`).
 * Invariants: I1 there is always a version that answers, from `start` to `close`: a deployment that can't be loaded changes nothing;
 * I2 no call fails for a switch: begun calls end where they began; I3 the deployment that was followed last wins.
 */
export class ModelLifeCycle implements InferenceEngine {
  readonly modelName: string;
  readonly #options: ModelLifeCycleOptions;
  readonly #slots = new Map<string, VersionSlot>();
  readonly #closing = new AbortController();
  #active: Active | undefined;
  #wanted: Deployment | undefined;
  #superseded = new AbortController();
  #working: Promise<void> = Promise.resolve();
  readonly #draining = new Set<Promise<void>>();

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

  /** What judges this inspection at this moment; the same object for all inspections of the same lot. */
  route(inspectionId: string): ModelRoute {
    const active = this.#current();
    const { candidate } = active.deployment;
    if (candidate === null || placeOf(inspectionId) >= candidate.share) return active.plain;
    return candidate.mode === 'split' ? active.tried : active.shadowed;
  }

  get modelVersion(): string {
    return this.#current().production.version;
  }

  get maxBatchSize(): number {
    return this.#current().production.engine.maxBatchSize;
  }

  get verdictThreshold(): number {
    return this.#current().production.engine.verdictThreshold;
  }

  /** Asks the version in production. */
  infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    return this.#current().plain.infer(batch, options);
  }

  /** Whether every version that judges would be served now. A shadow that is ill harms nobody. */
  async ready(): Promise<boolean> {
    const active = this.#active;
    if (active === undefined || this.#closing.signal.aborted) return false;
    const judging = this.#judging(active);
    return (await Promise.all(judging.map(({ engine }) => engine.ready()))).every(Boolean);
  }

  /** Resolves when no version that judges has its circuit open. Rejects with the signal's reason. */
  async whenAvailable(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#judging(this.#current()).map(({ engine }) => engine.whenAvailable(signal)));
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

  #judging({ deployment, production, candidate }: Active): VersionSlot[] {
    return candidate !== undefined && deployment.candidate?.mode === 'split' ? [production, candidate] : [production];
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
        const waitMs = Math.min(firstWaitMs * 2 ** (tries - 1), LOAD_WAIT_MAX_MS);
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
    const shadow =
      candidate !== undefined && deployment.candidate?.mode === 'shadow'
        ? new ShadowRunner(production, candidate, observer)
        : undefined;
    const plain = this.#routeTo(production, (batch, options) => production.infer('production', batch, options));
    return {
      deployment,
      production,
      candidate,
      shadow,
      plain,
      shadowed:
        shadow === undefined ? plain : this.#routeTo(production, (batch, options) => shadow.infer(batch, options)),
      tried:
        candidate === undefined
          ? plain
          : this.#routeTo(candidate, (batch, options) => candidate.infer('candidate', batch, options)),
    };
  }

  #routeTo({ version, engine }: VersionSlot, infer: ModelRoute['infer']): ModelRoute {
    const { maxBatchSize, verdictThreshold } = engine;
    return { modelName: this.modelName, modelVersion: version, maxBatchSize, verdictThreshold, infer };
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
