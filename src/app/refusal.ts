/** A run that can't be started, or can't be kept: the exit code and a sentence that says what to do. */
export class Refusal extends Error {
  override name = 'Refusal';
  /** 2 usage or configuration, 3 could not be recorded, 4 nothing matched. */
  readonly exitCode: 2 | 3 | 4;

  constructor(exitCode: 2 | 3 | 4, message: string, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}
