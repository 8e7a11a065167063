/** A number with the digits that a person needs: no decimals from 100,000 on, below that six significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1e5 && Math.abs(value) < 1e21
    ? String(Math.round(value))
    : String(Number(value.toPrecision(6)));
}

/** A rate or ratio with about three significant digits; null is "–". */
export function ratio(value: number | null): string {
  if (value === null) return '–';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
