/**
 * Imported before everything else by the entry points: uWebSockets reads its limit when it is loaded, and takes 4 KB of headers
 * otherwise. An identity provider's token with the groups of a plant is larger than that.
 */
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '16384';
