/** Preloaded with `--import`: a clock on the wall that `TEST_CLOCK` sets, "START" or "START,STEP" in ms. */
const [start = 0, step = 0] = (process.env.TEST_CLOCK ?? '').split(',').map(Number);
let now = start;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(Date.now());
    else super(...values);
  }

  /** Each look at the clock sets it further. */
  static now() {
    now += step;
    return now;
  }
};
