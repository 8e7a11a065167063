/** A value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** An object that JSON can hold. */
export type JsonObject = { [key: string]: Json };
