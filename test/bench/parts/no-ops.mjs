import { noOpFolder } from '../folders.mjs';
import { against, alternate, medianOf, millrace, piscina, ratios } from '../measure.mjs';

/** Work that does nothing: what one workstream costs, and whether that grows with their number. */
export default function noOps({ row, rounds, quick }) {
  tenThousand({ row, rounds: quick ? rounds : rounds + 4 });
  const count = quick ? 30_000 : 100_000;
  const memory = true;
  const runs = alternate(
    {
      many: millrace(noOpFolder(count), 2, { memory }),
      bare: piscina(count, 2, 'nothing', null, { memory }),
      bareQueue: bareQueue(count, { memory }),
      empty: millrace(noOpFolder(1), 2),
      emptyBare: piscina(1, 2, 'nothing'),
    },
    rounds,
  );
  const without = [runs.empty, runs.emptyBare];
  const many = `${count.toLocaleString('en')} no-ops`;
  compare(
    row,
    `${many}, an empty run taken off both / bare piscina`,
    runs.many,
    runs.bare,
    { without },
    '≤ 1.1',
  );
  compare(row, 'the same / bare piscina that is given all at once', runs.many, runs.bareQueue, { without });
  const peak = (what, others, target) =>
    row({
      what,
      values: ratios(runs.many, others, { field: 'all' }),
      target,
      of: `${medianOf(runs.many, 'all').toFixed(0)} MB against ${medianOf(others, 'all').toFixed(0)} MB`,
    });
  peak(`peak memory of all processes for ${many} / bare piscina`, runs.bare, '≤ 1');
  peak('the same / bare piscina that is given all at once', runs.bareQueue, '≤ 1');
}

const bareQueue = (count, fields) => {
  const { args } = piscina(count, 2, 'nothing');
  return { args: [...args, String(count / 2)], ...fields };
};

function tenThousand({ row, rounds }) {
  const cwd = noOpFolder(10_000);
  const runs = alternate(
    {
      ten: millrace(cwd, 2),
      bare: piscina(10_000, 2, 'nothing'),
      logged: millrace(cwd, 2, { args: millrace(cwd, 2).args.slice(0, -2) }),
    },
    rounds,
  );
  compare(row, '10,000 no-ops, 2 agents / bare piscina', runs.ten, runs.bare, {}, '≤ 2.0');
  compare(row, 'the same with a line of the log for each / without', runs.logged, runs.ten, {});
}

/** A row for wall time, and one for CPU time. */
function compare(row, what, runs, others, { without }, target) {
  row({ what, values: ratios(runs, others, { without }), target, of: against(runs, others) });
  row({ what: '– CPU', values: ratios(runs, others, { field: 'cpu', without }) });
}
