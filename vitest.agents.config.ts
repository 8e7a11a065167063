import { defineConfig } from 'vitest/config';

/** `npm run test:agents`: the adapters against the real programs, which need a model server on loopback and no network. */
export default defineConfig({
  test: {
    include: ['test/agents/**/*.test.ts'],
    globalSetup: ['test/kit/build.ts'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
