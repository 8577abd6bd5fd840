import { serve } from './serve.ts';

// The API and the applications whose stores it reads, against the services that the environment names.
await serve({ api: true, worker: false });
