import { defineConfig } from 'vitest/config';

/** `npm run test:crash`: runs that are killed at random moments and resumed. */
export default defineConfig({
  test: {
    include: ['test/crash/**/*.test.ts'],
    globalSetup: ['test/kit/build.ts'],
    fileParallelism: false,
  },
});
