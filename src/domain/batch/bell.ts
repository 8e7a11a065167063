/** By which the main thread wakes threads that wait for something to change in memory which they share. */

// Bound once: code of a workstream could put its own in their place.
const { add, load, notify, waitAsync } = Atomics;

export class Bell {
  /** Holds how often it was rung. */
  readonly memory: Int32Array<SharedArrayBuffer>;

  /** @param memory that of the bell in the other thread. Default: a new one. */
  constructor(memory = new Int32Array(new SharedArrayBuffer(4))) {
    this.memory = memory;
  }

  get rings(): number {
    return load(this.memory, 0);
  }

  ring(): void {
    add(this.memory, 0, 1);
    notify(this.memory, 0);
  }

  /**
   * Resolves once it was rung more often than that. V8 does that by itself: a message would come through functions of Node
   * that fail where code of a workstream has changed what they call, such as how arrays are iterated.
   */
  async rung(known: number): Promise<void> {
    await waitAsync(this.memory, 0, known).value;
  }
}
