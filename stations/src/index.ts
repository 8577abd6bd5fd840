/** The simulated test stations: a program of their own that knows the platform by its public API alone. */
export { loadSource } from './load-source.ts';
export { type BoardIntent, type BoardResult, type KnownDefect, RunLedger, type RunPlan } from './run-ledger.ts';
export type { StationMessage } from './station-message.ts';
