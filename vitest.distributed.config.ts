import { defineConfig } from 'vitest/config';

/** `npm run test:distributed`: runs over two hosts whose parts fail at random. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/kit/build.ts'],
    fileParallelism: false,
    expect: { poll: { timeout: 60_000 } },
  },
});
