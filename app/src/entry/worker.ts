import { serve } from './serve.ts';

// Inference, projection into PostgreSQL and line yield, against the services that the environment names.
await serve({ api: false, worker: true });
