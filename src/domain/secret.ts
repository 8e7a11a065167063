/** A value that must not be seen: what is put in its place names where it comes from. */
export interface Secret {
  /** Of the environment variable. */
  name: string;
  /** One line of at least 8 characters. */
  value: string;
}
