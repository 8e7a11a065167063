// Preloaded into a run: writes the libraries of the queue that it loads into the file LOADED.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const resolve = Module._resolveFilename;
Module._resolveFilename = function resolveNoted(request, ...rest) {
  if (/bullmq|ioredis|queue\.bundle/.test(request)) appendFileSync(process.env.LOADED, `${request}\n`);
  return resolve.call(this, request, ...rest);
};
