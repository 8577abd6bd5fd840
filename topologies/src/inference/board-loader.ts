import { createHash } from 'node:crypto';
import {
  type ArtifactRef,
  type DetectorInput,
  IMAGE_PIXELS,
  type ImageDecoder,
  type ImageSource,
  type InferencePayload,
} from '@chip-quality/schemas';
import { LRUCache } from 'lru-cache';
import type { Clock } from 'millrace';
import { failureOf, InferenceFailedError } from './inference-failure.ts';
import { retryOutage } from './retry-outage.ts';

/** Golden images at hand, decoded or, where the detector's server decodes, as files: 80 parts, and a line rarely runs more than a few. */
const GOLDEN_CACHE_BYTES = 32 * 1024 * 1024;
/** How long an object store may be away before inferences fail. */
export const OBJECT_STORE_DEADLINE_MS = 60_000;

/** Where images come from, and how patiently they are asked for. */
export interface BoardLoaderOptions {
  readonly images: ImageSource;
  readonly decode: ImageDecoder;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

/**
 * Fetches and decodes the board of an inference, and the golden image of its part.
 *
 * Owns: a cache of golden images by content, as the decoder makes them.
 * Called by: the inference topology, for several records at once.
 * Invariants: I1 what was judged is what was confirmed: content that differs from the artifact's facts is refused; I2 a golden
 * image that fails to load is not remembered; I3 callers share one load of a golden image, and none of them can abort it for
 * the others.
 */
export class BoardLoader {
  readonly #options: BoardLoaderOptions;
  readonly #goldens = new LRUCache<string, Promise<Uint8Array>>({ maxSize: GOLDEN_CACHE_BYTES });

  constructor(options: BoardLoaderOptions) {
    this.#options = options;
  }

  /** Rejects with {@link InferenceFailedError}, or with the signal's reason. */
  async load({ artifacts, golden }: InferencePayload, signal: AbortSignal): Promise<DetectorInput> {
    const image = artifacts.at(-1);
    if (image === undefined) throw new InferenceFailedError('no_image', 'The request names no image.');
    const [board, template] = await Promise.all([
      this.#named('', this.#image(image, signal), signal),
      golden === null ? undefined : this.#named('golden_', this.#golden(golden), signal),
    ]);
    return { board, golden: template };
  }

  async #named(subject: '' | 'golden_', work: Promise<Uint8Array>, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await work;
    } catch (error) {
      signal.throwIfAborted();
      const { reason, detail } = failureOf(error, subject);
      throw new InferenceFailedError(reason, detail, { cause: error });
    }
  }

  #golden(artifact: ArtifactRef): Promise<Uint8Array> {
    const key = `${artifact.storage_path} ${artifact.checksum}`;
    const known = this.#goldens.get(key);
    if (known !== undefined) return known;
    const loading = this.#image(artifact, new AbortController().signal);
    this.#goldens.set(key, loading, { size: Math.max(IMAGE_PIXELS, artifact.size_bytes) });
    loading.catch(() => {
      if (this.#goldens.peek(key) === loading) this.#goldens.delete(key);
    });
    return loading;
  }

  #image(artifact: ArtifactRef, signal: AbortSignal): Promise<Uint8Array> {
    const { images, decode, clock, deadlineMs = OBJECT_STORE_DEADLINE_MS } = this.#options;
    return retryOutage(
      async () => {
        const bytes = await images.load(artifact.storage_path, signal);
        assertUnchanged(artifact, bytes);
        return decode(bytes);
      },
      { clock, deadlineMs, signal },
    );
  }
}

const DIGESTS: Readonly<Record<number, string>> = { 32: 'md5', 64: 'sha256' };

function assertUnchanged(artifact: ArtifactRef, bytes: Uint8Array): void {
  const changed = (what: string) =>
    new InferenceFailedError('artifact_changed', `${artifact.storage_path} is not what was confirmed: ${what}`);
  if (bytes.length !== artifact.size_bytes) throw changed(`${bytes.length} bytes, not ${artifact.size_bytes}`);
  // Entity tags of multipart uploads (`…-2`) are no digests and can't be checked.
  const algorithm = /^[0-9a-f]+$/.test(artifact.checksum) ? DIGESTS[artifact.checksum.length] : undefined;
  if (algorithm === undefined) return;
  const digest = createHash(algorithm).update(bytes).digest('hex');
  if (digest !== artifact.checksum) throw changed(`checksum ${digest}, not ${artifact.checksum}`);
}
