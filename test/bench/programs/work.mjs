// The work that is measured: as a module step's function, and as a bare piscina task.

export const wait = ({ seconds }) =>
  new Promise((resolve) => {
    setTimeout(() => resolve({ output: 1 }), seconds * 1000);
  });

/** About 150 ms of arithmetic on the machine it was tuned on. */
export const compute = ({ rounds }) => {
  let x = 1;
  for (let i = 0; i < rounds; i += 1) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
  return { output: x };
};

export const nothing = () => undefined;

/** Says when it listens, and ends as soon as it is told to stop. */
export const listens = (_input, { signal, progress }) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    progress(0, 'listens');
  });
