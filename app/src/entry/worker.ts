import { serve } from './serve.ts';

// Inference, projection into PostgreSQL and line yield, against the parts that the environment names.
await serve({ api: false, worker: true });
