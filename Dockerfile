# The whole platform in one image: `node app/src/entry/main.ts` by default, `app/src/entry/api.ts` or `app/src/entry/worker.ts` for one role.
# Debian 13, because uWebSockets.js needs glibc 2.38.
FROM node:24-trixie-slim
ENV NODE_ENV=production ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /srv/chip-quality

COPY package.json package-lock.json .npmrc ./
COPY engine/package.json engine/
COPY schemas/package.json schemas/
COPY proto/package.json proto/
COPY topologies/package.json topologies/
COPY sinks/package.json sinks/
COPY models/package.json models/
COPY api/package.json api/
COPY stations/package.json stations/
COPY app/package.json app/
COPY dev/package.json dev/
COPY benchmarks/package.json benchmarks/
# Exactly the lock file's versions; see dev/install.mjs for why this is not `npm ci`.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

COPY . .
RUN mkdir -p /var/lib/chip-quality && chown node:node /var/lib/chip-quality
# The image's user "node", by number so that Kubernetes can check that it is not root.
USER 1000:1000
EXPOSE 8080
VOLUME /var/lib/chip-quality
CMD ["node", "app/src/entry/main.ts"]
