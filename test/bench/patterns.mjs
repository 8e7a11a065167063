/**
 * Measures how well messages are grouped, and how fast. Takes a folder of CSV files with the columns Content and EventId,
 * such as the 16 sets of Loghub-2k (https://github.com/logpai/loghub):
 *
 *     npm run build && node test/bench/patterns.mjs FOLDER
 *
 * For each set: grouping accuracy (GA, the share of messages whose group has exactly the messages of their kind), the
 * share of pairs in one group that are of one kind, and groups against kinds. Then whether the groups stay the same when
 * the messages come in another order or in 40 runs, and how many messages a second one core takes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { mergeShapes } from '../../dist/src/analysis/patterns/merge.js';
import { shapeOf } from '../../dist/src/analysis/patterns/shape.js';

const SHUFFLES = 10;
const RUNS = 40;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node test/bench/patterns.mjs FOLDER\n');
  process.exit(2);
}

const sets = readdirSync(folder)
  .filter((name) => name.endsWith('.csv'))
  .toSorted()
  .map((name) => ({ name, ...readSet(join(folder, name)) }));
let sum = 0;
for (const { name, messages, kinds } of sets) {
  const groups = groupsOf(messages);
  const { accuracy, precision } = qualityOf(kinds, groups);
  sum += accuracy;
  const counts = `${new Set(groups).size} groups, ${new Set(kinds).size} kinds`;
  const same = `shuffled ${isSameShuffled(messages, groups)}, in ${RUNS} runs ${isSameInRuns(messages, groups)}`;
  process.stdout.write(
    `${name} GA ${accuracy.toFixed(3)} pairs ${precision.toFixed(4)} ${counts}; same groups: ${same}\n`,
  );
}
process.stdout.write(`mean GA ${(sum / sets.length).toFixed(4)}\n`);
measureSpeed(sets.flatMap(({ messages }) => messages));

function groupsOf(messages) {
  const shapes = messages.map((message) => shapeOf(message));
  const distinct = [...new Set(shapes)];
  const groupOf = new Map();
  for (const [group, { members }] of mergeShapes(distinct).entries())
    for (const member of members) groupOf.set(distinct[member], group);
  return shapes.map((shape) => groupOf.get(shape));
}

function isSameShuffled(messages, groups) {
  const random = randomNumbers(1);
  for (let count = 0; count < SHUFFLES; count += 1) {
    const order = messages.map((_, index) => [random(), index]).toSorted(([a], [b]) => a - b);
    const shuffled = groupsOf(order.map(([, index]) => messages[index]));
    const back = [];
    for (const [place, [, index]] of order.entries()) back[index] = shuffled[place];
    if (!isSamePartition(groups, back)) return 'no';
  }
  return 'yes';
}

/** Each run brings its part of the messages; what was one group in the run before stays one. */
function isSameInRuns(messages, groups) {
  const known = new Map();
  const size = Math.ceil(messages.length / RUNS);
  for (let from = 0; from < messages.length; from += size) {
    for (const message of messages.slice(from, from + size)) {
      const shape = shapeOf(message);
      if (!known.has(shape)) known.set(shape, null);
    }
    const shapes = [...known.keys()];
    for (const { members } of mergeShapes(shapes, [...known.values()]))
      for (const member of members) known.set(shapes[member], shapes[members[0]]);
  }
  return isSamePartition(
    groups,
    messages.map((message) => known.get(shapeOf(message))),
  )
    ? 'yes'
    : 'no';
}

function isSamePartition(one, other) {
  const there = new Map();
  const back = new Map();
  return one.every((group, index) => {
    const its = other[index];
    if (!there.has(group)) there.set(group, its);
    if (!back.has(its)) back.set(its, group);
    return there.get(group) === its && back.get(its) === group;
  });
}

function measureSpeed(messages) {
  for (const message of messages) shapeOf(message);
  const before = process.cpuUsage();
  const shapes = new Set();
  for (const message of messages) shapes.add(shapeOf(message));
  mergeShapes([...shapes]);
  const { user, system } = process.cpuUsage(before);
  const perSecond = Math.round(messages.length / ((user + system) / 1e6));
  globalThis.gc?.();
  const heap = Math.round(process.memoryUsage().heapUsed / 1e6);
  process.stdout.write(
    `${messages.length} messages: ${perSecond} a second of CPU time; ${heap} MB of heap, messages included\n`,
  );
}

function qualityOf(kinds, groups) {
  const both = sizes(kinds.map((kind, index) => `${groups[index]} ${kind}`));
  const ofKind = sizes(kinds);
  const ofGroup = sizes(groups.map(String));
  let right = 0;
  for (const [index, kind] of kinds.entries()) {
    const size = both.get(`${groups[index]} ${kind}`);
    if (ofKind.get(kind) === size && ofGroup.get(String(groups[index])) === size) right += 1;
  }
  const pairs = pairsOf(ofGroup);
  return { accuracy: right / kinds.length, precision: pairs === 0 ? 1 : pairsOf(both) / pairs };
}

function sizes(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function pairsOf(counts) {
  let pairs = 0;
  for (const size of counts.values()) pairs += (size * (size - 1)) / 2;
  return pairs;
}

function readSet(path) {
  const [head = [], ...rows] = csvRows(readFileSync(path, 'utf8'));
  const [content, kind] = ['Content', 'EventId'].map((name) => head.indexOf(name));
  return { messages: rows.map((row) => row[content]), kinds: rows.map((row) => row[kind]) };
}

/** The fields of each row; quoted ones may have commas, line breaks and doubled quotes. */
function csvRows(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

/** Numbers from 0 to 1, the same ones each time. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
