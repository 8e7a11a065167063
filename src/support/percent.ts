/** A share between 0 and 1 for a person: "97.3 %". `null` is "–". */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}
