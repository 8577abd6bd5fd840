/** Facts of a stored object. */
export interface ObjectHead {
  /** Length of its bytes. */
  readonly sizeBytes: number;
  /** As it was uploaded; `application/octet-stream` where nothing was said. */
  readonly contentType: string;
  /** Entity tag without quotes: the MD5 of a simple upload. */
  readonly etag: string;
}

/** Objects as the API shows them to clients, who move the bytes themselves. `sinks/` implements it over S3. */
export interface Objects {
  /** URL for one PUT of `key`; expires. The store enforces neither size nor type: check {@link Objects.head} at confirm. */
  presignPut(
    key: string,
    options: {
      /** Media type that the client will send. */
      readonly contentType: string;
      /** How long the URL works; at most seven days. */
      readonly expiresInSeconds: number;
    },
  ): Promise<string>;
  /** URL for a GET of `key`; expires, after seven days at most. */
  presignGet(key: string, expiresInSeconds: number): Promise<string>;
  /** Undefined when there is no such object. Rejects with `code` `OBJECT_STORE_UNAVAILABLE`, which the API answers with 503. */
  head(key: string): Promise<ObjectHead | undefined>;
}

/** The bytes of objects, for who judges them. The inference flow calls it, `sinks/` implements it over S3. */
export interface ImageSource {
  /**
   * Rejects with `code` `OBJECT_NOT_FOUND` or `OBJECT_TOO_LARGE` (repeating doesn't help), `OBJECT_STORE_UNAVAILABLE` (it does), or
   * the signal's reason.
   */
  load(storagePath: string, signal: AbortSignal): Promise<Uint8Array>;
}
