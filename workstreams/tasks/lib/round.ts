/** A number rounded to so many decimal places, for tables that people read. */
export function round(value: number, places: number): number {
  return Number(value.toFixed(places));
}
