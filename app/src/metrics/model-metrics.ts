import type { ModelObserver } from '@chip-quality/models';
import type { Log } from 'millrace';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A batch takes 10 ms to some hundred; the deadline of a call is 5 s. */
const SECONDS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5];
const CIRCUITS = ['closed', 'half-open', 'open'] as const;
const ROLE_LABELS = ['model', 'version', 'role'];

interface RoleLabels {
  readonly model: string;
  readonly version: string;
  readonly role: string;
}

/**
 * Metrics of the model versions: quality (flagged boards, defects, confidences, failures, agreement of a shadow) and latency, each
 * by model, version and role (`production`, `candidate`, `shadow`), so that two versions can be compared on one graph. Answers
 * what observes one model.
 */
export function createModelObserver(registry: Registry): (model: string, log: Log) => ModelObserver {
  const judging = judgingMetrics(registry);
  const trials = trialMetrics(registry);
  const deployments = deploymentMetrics(registry);
  return (model, log) => ({
    ...observeJudging(judging, model),
    ...observeTrials(trials, model, log),
    ...observeDeployments(deployments, model, log),
  });
}

type Judging = Pick<ModelObserver, 'judged' | 'failed'>;
type Trials = Pick<ModelObserver, 'compared' | 'shadowSkipped' | 'fellBack' | 'suspended'>;
type Deployments = Pick<ModelObserver, 'circuit' | 'deployed' | 'deploymentFailed'>;

/** Makes counters of a registry. */
function counters(registry: Registry): (name: string, help: string, labelNames?: string[]) => Counter {
  return (name, help, labelNames = ROLE_LABELS) => new Counter({ name, help, labelNames, registers: [registry] });
}

/** How well and how fast versions judge. */
function judgingMetrics(registry: Registry) {
  const counter = counters(registry);
  return {
    boards: counter('model_boards_total', 'Boards that a version judged'),
    flagged: counter('model_flagged_boards_total', 'Boards with a detection from the version’s own threshold on'),
    defects: counter('model_defects_total', 'Detections from the version’s own threshold on'),
    confidence: counter('model_confidence_sum', 'Sum of their confidences: by model_defects_total it is the mean'),
    opinions: counter('model_second_opinions_total', 'Such detections by what the classifier says of them', [
      ...ROLE_LABELS,
      'opinion',
    ]),
    failures: counter('model_failed_boards_total', 'Boards of calls that failed', [...ROLE_LABELS, 'reason']),
    seconds: new Histogram({
      name: 'model_batch_seconds',
      help: 'Time of a batch in a version, retries and waiting for its turn included',
      labelNames: ROLE_LABELS,
      buckets: SECONDS_BUCKETS,
      registers: [registry],
    }),
  };
}

function observeJudging(metrics: ReturnType<typeof judgingMetrics>, model: string): Judging {
  return {
    judged: (batch) => {
      const labels = { model, version: batch.version, role: batch.role };
      metrics.boards.inc(labels, batch.boards);
      metrics.flagged.inc(labels, batch.flagged);
      metrics.defects.inc(labels, batch.defects);
      metrics.confidence.inc(labels, batch.confidenceSum);
      for (const [opinion, count] of Object.entries(batch.opinions)) {
        if (count > 0) metrics.opinions.inc({ ...labels, opinion }, count);
      }
      metrics.seconds.observe(labels, batch.durationMs / 1_000);
    },
    failed: (version, role, count, reason) => metrics.failures.inc({ model, version, role, reason }, count),
  };
}

/** What comes of versions on trial. */
function trialMetrics(registry: Registry) {
  const counter = counters(registry);
  return {
    compared: counter('model_shadow_boards_total', 'Boards that a shadow saw too, by how far it agrees', [
      'model',
      'production',
      'shadow',
      'outcome',
    ]),
    skipped: counter('model_shadow_skipped_boards_total', 'Boards that a shadow was too slow for', [
      'model',
      'version',
    ]),
    fallbacks: counter('model_fallback_boards_total', 'Boards that a candidate failed and production judged', [
      'model',
      'candidate',
      'production',
    ]),
    suspensions: counter('model_suspensions_total', 'Trials that ended since the candidate went on failing', [
      'model',
      'candidate',
    ]),
  };
}

function observeTrials(metrics: ReturnType<typeof trialMetrics>, model: string, log: Log): Trials {
  return {
    compared: (production, shadow, { same, defectsDiffer, verdictDiffers }) => {
      metrics.compared.inc({ model, production, shadow, outcome: 'same' }, same);
      metrics.compared.inc({ model, production, shadow, outcome: 'defects-differ' }, defectsDiffer);
      metrics.compared.inc({ model, production, shadow, outcome: 'verdict-differs' }, verdictDiffers);
    },
    shadowSkipped: (version, count) => metrics.skipped.inc({ model, version }, count),
    fellBack: (candidate, production, count) => {
      metrics.fallbacks.inc({ model, candidate, production }, count);
      log.warn({ model, candidate, production, boards: count }, 'A candidate failed; production judged its boards');
    },
    suspended: (deployment, failuresInARow) => {
      metrics.suspensions.inc({ model, candidate: deployment.candidate?.version ?? '' });
      log.error(
        { model, ...deployment, failuresInARow },
        'A candidate that goes on failing judges no more, until another deployment comes',
      );
    },
  };
}

/** Which versions judge, and whether they can be reached. */
function deploymentMetrics(registry: Registry) {
  const registers = [registry];
  return {
    refused: counters(registry)('model_deployment_failures_total', 'Tries to load a deployment that failed', ['model']),
    circuit: new Gauge({
      name: 'model_circuit_state',
      help: 'Circuit breaker of a version: 0 closed, 1 half-open, 2 open',
      labelNames: ['model', 'version'],
      registers,
    }),
    share: new Gauge({
      name: 'model_deployment_share',
      help: 'Share of the inspections that a version judges (sees, as a shadow) in this process',
      labelNames: ROLE_LABELS,
      registers,
    }),
  };
}

function observeDeployments(metrics: ReturnType<typeof deploymentMetrics>, model: string, log: Log): Deployments {
  const shown: RoleLabels[] = [];
  const show = (labels: RoleLabels, value: number): void => {
    shown.push(labels);
    metrics.share.set({ ...labels }, value);
  };
  return {
    circuit: (version, state) => {
      metrics.circuit.set({ model, version }, CIRCUITS.indexOf(state));
      log.warn({ model, version, circuit: state }, 'The circuit to a model version changed');
    },
    deployed: (deployment) => {
      const { production, candidate } = deployment;
      for (const labels of shown.splice(0)) metrics.share.remove({ ...labels });
      const judged = candidate?.mode === 'split' ? 1 - candidate.share : 1;
      show({ model, version: production, role: 'production' }, judged);
      if (candidate !== null) {
        const role = candidate.mode === 'split' ? 'candidate' : 'shadow';
        show({ model, version: candidate.version, role }, candidate.share);
      }
      log.info({ model, ...deployment }, 'Model versions that judge from now on');
    },
    deploymentFailed: (deployment, error, willRetry) => {
      metrics.refused.inc({ model });
      log.error(
        { model, ...deployment, err: error, willRetry },
        'A deployment could not be loaded; what judged before goes on',
      );
    },
  };
}
