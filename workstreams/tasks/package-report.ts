import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { pageRank } from './algorithms/page-rank.ts';
import { round } from './lib/round.ts';
import { type SurveyedPackage, surveyOutputSchema } from './package-survey.ts';

const inputSchema = z.strictObject({ top: z.number().int().positive() });

/** Combines what the shards of the survey found out about all installed packages. */
export default async function reportPackages(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { top } = inputSchema.parse(input);
  const shards = z.record(z.string(), surveyOutputSchema).parse(context.dependencies);
  const packages = Object.values(shards).flatMap(({ packages }) => packages);
  packages.sort((a, b) => b.kilobytes - a.kilobytes || (a.name < b.name ? -1 : 1));
  const ofModules = packages.filter(({ modules }) => modules === 'ESM').length;
  context.log.info({ shards: Object.keys(shards).length, packages: packages.length }, 'combined');
  const output = {
    packages: packages.length,
    in_several_versions: severalVersions(packages),
    megabytes: round(packages.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1e3, 1),
    percent_esm: round((100 * ofModules) / packages.length, 1),
    largest: packages
      .slice(0, top)
      .map(({ name, version, kilobytes, files }) => ({ name, version, kilobytes, files })),
    most_relied_upon: mostReliedUpon(packages).slice(0, top),
    licenses: countBy(packages, ({ license }) => license)
      .slice(0, top)
      .map(({ value, packages }) => ({ license: value, packages })),
  };
  return { output };
}

function severalVersions(packages: readonly SurveyedPackage[]): number {
  return countBy(packages, ({ name }) => name).filter(({ packages }) => packages > 1).length;
}

/** By PageRank over the dependencies: what important packages need is important. */
function mostReliedUpon(packages: readonly SurveyedPackage[]) {
  const names = [...new Set(packages.map(({ name }) => name))];
  const indices = new Map(names.map((name, index) => [name, index]));
  const links = names.map((): number[] => []);
  for (const { name, requires } of packages) {
    const own = links[indices.get(name) ?? -1];
    for (const required of requires.split(' ')) {
      const index = indices.get(required);
      if (index !== undefined && own?.includes(index) === false) own.push(index);
    }
  }
  const ranks = pageRank(links);
  const dependents = new Map<number, number>();
  for (const to of links.flat()) dependents.set(to, (dependents.get(to) ?? 0) + 1);
  return names
    .map((name, i) => ({ name, page_rank: round(ranks[i] ?? 0, 5), needed_by: dependents.get(i) ?? 0 }))
    .toSorted((a, b) => b.page_rank - a.page_rank || b.needed_by - a.needed_by || (a.name < b.name ? -1 : 1));
}

function countBy(packages: readonly SurveyedPackage[], key: (each: SurveyedPackage) => string) {
  const counts = new Map<string, number>();
  for (const each of packages) counts.set(key(each), (counts.get(key(each)) ?? 0) + 1);
  return Array.from(counts, ([value, packages]) => ({ value, packages })).toSorted(
    (a, b) => b.packages - a.packages,
  );
}
