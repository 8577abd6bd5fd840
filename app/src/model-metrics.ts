import type { ModelObserver } from '@chip-quality/models';
import type { Log } from 'millrace';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A batch takes 10 ms to some hundred; the deadline of a call is 5 s. */
const SECONDS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5];
const CIRCUITS = ['closed', 'half-open', 'open'] as const;

/**
 * Metrics of the model versions: quality (flagged boards, defects, confidences, failures, agreement of a shadow) and latency, each by
 * version and role (`production`, `candidate`, `shadow`), so that two versions can be compared on one graph.
 */
export function createModelObserver(registry: Registry): (log: Log) => ModelObserver {
  const registers = [registry];
  const labelNames = ['version', 'role'] as const;
  const counter = (name: string, help: string, names: readonly string[] = labelNames) =>
    new Counter({ name, help, labelNames: names, registers });
  const boards = counter('model_boards_total', 'Boards that a model version judged');
  const flagged = counter(
    'model_flagged_boards_total',
    'Boards with a detection at or above the version’s own threshold',
  );
  const defects = counter('model_defects_total', 'Detections at or above the version’s own threshold');
  const confidence = counter('model_confidence_sum', 'Sum of their confidences: by model_defects_total it is the mean');
  const failures = counter('model_failed_boards_total', 'Boards of calls that failed', [...labelNames, 'reason']);
  const seconds = new Histogram({
    name: 'model_batch_seconds',
    help: 'Time of a batch in a model version, retries and waiting for its turn included',
    labelNames,
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const compared = counter('model_shadow_boards_total', 'Boards that a shadow saw too, by how far it agrees', [
    'production',
    'shadow',
    'outcome',
  ]);
  const skipped = counter('model_shadow_skipped_boards_total', 'Boards that a shadow was too slow for', ['version']);
  const circuit = new Gauge({
    name: 'model_circuit_state',
    help: 'Circuit breaker of a version: 0 closed, 1 half-open, 2 open',
    labelNames: ['version'],
    registers,
  });
  const deployed = new Gauge({
    name: 'model_deployment_share',
    help: 'Share of the inspections that a version judges (sees, as a shadow) in this process',
    labelNames,
    registers,
  });
  const refused = new Counter({
    name: 'model_deployment_failures_total',
    help: 'Tries to load a deployment that failed; what judged before goes on',
    registers,
  });
  return (log) => ({
    judged: (batch) => {
      const labels = { version: batch.version, role: batch.role };
      boards.inc(labels, batch.boards);
      flagged.inc(labels, batch.flagged);
      defects.inc(labels, batch.defects);
      confidence.inc(labels, batch.confidenceSum);
      seconds.observe(labels, batch.durationMs / 1_000);
    },
    failed: (version, role, count, reason) => failures.inc({ version, role, reason }, count),
    compared: (production, shadow, { same, defectsDiffer, verdictDiffers }) => {
      compared.inc({ production, shadow, outcome: 'same' }, same);
      compared.inc({ production, shadow, outcome: 'defects-differ' }, defectsDiffer);
      compared.inc({ production, shadow, outcome: 'verdict-differs' }, verdictDiffers);
    },
    shadowSkipped: (version, count) => skipped.inc({ version }, count),
    circuit: (version, state) => {
      circuit.set({ version }, CIRCUITS.indexOf(state));
      log.warn({ version, circuit: state }, 'The circuit to a model version changed');
    },
    deployed: (deployment) => {
      const { production, candidate } = deployment;
      deployed.reset();
      const judged = candidate?.mode === 'split' ? 1 - candidate.share : 1;
      deployed.set({ version: production, role: 'production' }, judged);
      if (candidate !== null) {
        const role = candidate.mode === 'split' ? 'candidate' : 'shadow';
        deployed.set({ version: candidate.version, role }, candidate.share);
      }
      log.info({ ...deployment }, 'Model versions that judge from now on');
    },
    deploymentFailed: (deployment, error, willRetry) => {
      refused.inc();
      log.error(
        { ...deployment, err: error, willRetry },
        'A deployment could not be loaded; what judged before goes on',
      );
    },
  });
}
