// Prints how many bytes of memory a loaded and planned folder keeps: node --expose-gc kept-bytes.mjs FOLDER
import { makePlan } from '../../../dist/src/plan/plan.js';
import { loadFolder } from '../../../dist/src/workstream/load.js';

const used = () => {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const [cwd] = process.argv.slice(2);
const before = used();
const loaded = loadFolder(`${cwd}/workstreams`, { cwd });
const plan = makePlan(loaded, new Map());
const kept = used() - before;
// Both are still there when it is measured.
if (loaded !== null && plan !== null) console.log(kept);
