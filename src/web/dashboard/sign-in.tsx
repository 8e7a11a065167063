/** Where the token of the dashboard is given that does not know this browser. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { isSignedOut, messageOfError, signIn } from './client.ts';

interface SignInProps {
  /** What was wrong with the token of the address; null where there was none. */
  problem?: string | null;
  /** Called once the server knows this browser. */
  onDone?: () => void;
}

function SignIn({ problem: given = null, onDone }: SignInProps) {
  const problem = useSignal(given);
  const token = useSignal('');
  const field = useId();
  const send = async (): Promise<void> => {
    try {
      await signIn(token.value.trim());
      onDone?.();
    } catch (error) {
      problem.value = messageOfError(error);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p>
        The token is in the address that the dashboard printed, behind <code>#token=</code>, or the one that
        it was started with. <code>run --dashboard</code> keeps it in <code>dashboard.json</code> in the state
        folder.
      </p>
      <div class="fields">
        <label for={field}>Token</label>
        <input
          id={field}
          type="password"
          autocomplete="off"
          required
          value={token.value}
          onInput={({ currentTarget }) => {
            token.value = currentTarget.value;
          }}
        />
        <button type="submit" class="b">
          Open
        </button>
      </div>
      {problem.value !== null && (
        <p class="fail" role="alert">
          {problem.value}
        </p>
      )}
    </form>
  );
}

/** Instead of the page, where nothing is known yet. */
export const SignInPage = (props: SignInProps) => (
  <main class="sign-in is-alone">
    <h1>The dashboard does not know this browser.</h1>
    <SignIn {...props} />
  </main>
);

/** Over the page, whose server was started again. */
export const SignInAgain = () =>
  isSignedOut.value ? (
    <section class="sign-in" aria-labelledby="sign-in">
      <div role="alert">
        <h2 id="sign-in">The dashboard does not know this browser any more: what you see may be old.</h2>
      </div>
      <SignIn />
    </section>
  ) : null;
