import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:agents`, `npm run test:crash` and `npm run test:distributed`
    exclude: ['test/agents/**', 'test/crash/**', 'test/faults/**'],
    globalSetup: ['test/kit/build.ts'],
    reporters: ['default', './test/kit/tally-reporter.ts'],
    // Two files at a time: the tests themselves start threads and processes.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The default is one second, which may be too little on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    coverage: { include: ['src/**', 'workers/**'], reporter: ['text-summary', 'json'] },
  },
});
