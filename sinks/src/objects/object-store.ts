import { IMAGE_BYTES_MAX, type ImageSource, type Objects } from '@chip-quality/schemas';
import { Client, S3Error } from 'minio';
import { ObjectNotFoundError, ObjectStoreUnavailableError, ObjectTooLargeError } from './object-store-errors.ts';

/** One request: generous for 8 MB on a factory network, far below the inference deadline. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Presigned requests of our own live as long as a request may take, and a bit of clock difference. */
const OWN_URL_EXPIRY_SECONDS = 60;
/** S3's own upper limit; the MinIO client's default is these seven days, so nobody may rely on it. */
const EXPIRY_SECONDS_MAX = 7 * 86_400;

/** Where and as whom to reach an S3-compatible store (MinIO, S3Proxy, AWS). */
export interface ObjectStoreOptions {
  /** `http://host:port` as this process reaches it. */
  readonly endpoint: string;
  /** As clients outside reach it, for presigned URLs. Default: `endpoint`. */
  readonly publicEndpoint?: string;
  /** User's name. */
  readonly accessKey: string;
  /** User's password. */
  readonly secretKey: string;
  /** Goes into every signature. */
  readonly region: string;
  /** Bucket that holds everything. */
  readonly bucket: string;
  /** Deadline of one request, ms. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

/**
 * The platform's bucket. Keys are built from ids only (`inspections/{id}/raw/{artifact}.jpg`, `parts/{id}/golden/{artifact}.jpg`):
 * `[A-Za-z0-9._-/]`, and no key is a directory prefix of another, which file-backed stores can't hold.
 */
export interface ObjectStore extends Objects, ImageSource {
  /** No more than {@link IMAGE_BYTES_MAX}: rejects with `OBJECT_TOO_LARGE` above. */
  load(key: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Makes the bucket when it isn't there. Safe to call at once from several processes. */
  ensureBucket(): Promise<void>;
}

function clientFor(endpoint: string, options: ObjectStoreOptions): Client {
  const url = new URL(endpoint);
  return new Client({
    endPoint: url.hostname,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    useSSL: url.protocol === 'https:',
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    // Without it the client asks the server for the region before it signs.
    region: options.region,
    pathStyle: true,
  });
}

/** Reads a body of unknown length up to `limitBytes`. */
async function readBody(response: Response, key: string, limitBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new ObjectTooLargeError(`${key} is larger than ${limitBytes} bytes`);
  if (Number(response.headers.get('content-length') ?? 0) > limitBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > limitBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length);
}

/** Opens nothing; every call stands alone. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const own = clientFor(options.endpoint, options);
  const forClients = clientFor(options.publicEndpoint ?? options.endpoint, options);
  const { bucket } = options;
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;

  const unavailable = (action: string, key: string, cause: unknown) =>
    new ObjectStoreUnavailableError(`object store: ${action} ${key} failed: ${describe(cause)}`, { cause });

  /** Presigned requests by fetch, because the client of the store can neither abort nor time out. */
  async function request(method: 'GET' | 'HEAD', key: string, signal: AbortSignal | undefined): Promise<Response> {
    const url = await own.presignedUrl(method, bucket, key, OWN_URL_EXPIRY_SECONDS);
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, {
      method,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) throw new ObjectNotFoundError(`object ${key} not found`);
    throw new Error(`HTTP ${response.status}`);
  }

  return {
    async presignPut(key, { expiresInSeconds }) {
      return forClients.presignedUrl('PUT', bucket, key, Math.min(expiresInSeconds, EXPIRY_SECONDS_MAX));
    },
    async presignGet(key, expiresInSeconds) {
      return forClients.presignedUrl('GET', bucket, key, Math.min(expiresInSeconds, EXPIRY_SECONDS_MAX));
    },
    async head(key) {
      try {
        const { headers } = await request('HEAD', key, undefined);
        return {
          sizeBytes: Number(headers.get('content-length')),
          contentType: headers.get('content-type') ?? 'application/octet-stream',
          etag: (headers.get('etag') ?? '').replaceAll('"', ''),
        };
      } catch (error) {
        if (error instanceof ObjectNotFoundError) return undefined;
        throw unavailable('HEAD', key, error);
      }
    },
    async load(key, signal) {
      signal.throwIfAborted();
      try {
        return await readBody(await request('GET', key, signal), key, IMAGE_BYTES_MAX);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof ObjectNotFoundError || error instanceof ObjectTooLargeError) throw error;
        throw unavailable('GET', key, error);
      }
    },
    async ensureBucket() {
      try {
        if (await own.bucketExists(bucket)) return;
        await own.makeBucket(bucket, options.region);
      } catch (error) {
        const existsNow = error instanceof S3Error && /BucketAlready/.test(String(error.code));
        if (!existsNow) throw unavailable('create bucket', bucket, error);
      }
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
