/** An amount of US dollars: `$1.50`; small ones with as many digits as it takes to see them: `$0.0042`. */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 0.01) return `$${amount.toFixed(2)}`;
  return amount < 0.0001 ? '< $0.0001' : `$${amount.toFixed(4)}`;
}
