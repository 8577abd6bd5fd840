import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyFlow } from '@chip-quality/topologies';
import { KafkaStreams, type KafkaStreamsOptions, type Log, type Topology } from 'millrace';
import type { Component } from './component.ts';
import { isFenced } from './is-fenced.ts';

/** Until all applications run after a restart on their data. */
const START_TIMEOUT_MS = 120_000;

/** What an application needs beside its flow. */
export interface ApplicationSurroundings {
  readonly options: KafkaStreamsOptions;
  readonly log: Log;
  /** It failed for good: the process should end. */
  readonly onFatal: (error: Error) => void;
}

/**
 * A flow that runs.
 *
 * Owns: its `KafkaStreams`. Called by: the components of the process.
 * Invariants: I1 a thread that fails is replaced, unless another process is this group member now; I2 it is ready while RUNNING.
 */
export class Application implements Component {
  readonly flow: AnyFlow;
  readonly streams: KafkaStreams;

  constructor(flow: AnyFlow, topology: Topology, { options, log, onFatal }: ApplicationSurroundings) {
    this.flow = flow;
    const streams = new KafkaStreams(topology, options);
    streams.setUncaughtExceptionHandler((error) => {
      // Another process is the same group member: a new thread would only take the partitions back from it, for ever.
      if (isFenced(error)) return 'shutdown-client';
      log.error({ err: error, applicationId: flow.id }, 'A stream thread failed; replacing it');
      return 'replace-thread';
    });
    streams.onStateChange((state) => {
      if (state === 'ERROR') onFatal(new Error(`${flow.id} failed`, { cause: streams.failure }));
    });
    this.streams = streams;
  }

  get name(): string {
    return this.flow.id;
  }

  /** Rejects when it doesn't run in time. */
  async start(): Promise<void> {
    const timeout = new AbortController();
    const late = sleep(START_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
      throw new Error(`${this.name} is ${this.streams.state} after ${START_TIMEOUT_MS / 1_000} s`);
    });
    late.catch(() => undefined);
    try {
      await Promise.race([this.streams.start(), late]);
    } finally {
      timeout.abort();
    }
  }

  isReady(): boolean {
    return this.streams.state === 'RUNNING';
  }

  close(): Promise<void> {
    return this.streams.close();
  }
}
