/** A list that was cut: what is shown, and how many there are in all. */
export interface Capped<T> {
  shown: T[];
  total: number;
}
