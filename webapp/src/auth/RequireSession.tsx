import { type ReactNode, Suspense } from "react";
import { useWaiting } from "../ui/connection";
import { Dialog } from "../ui/Dialog";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { lazily } from "../ui/lazily";
import { Spinner } from "../ui/Spinner";
import { dismissSignIn, useSession } from "./session";

const SignIn = lazily("the form to sign in", () => import("./SignIn"));

/** The sign-in form in place of what needs a person. */
export function RequireSession({ children, why }: { children: ReactNode; why: string }) {
  const { person } = useSession();
  if (person === undefined) return <LookingUp />;
  if (person) return children;
  return (
    <section className="sign-in">
      <h1>Sign in</h1>
      <p className="muted">{why}</p>
      <Suspense fallback={<Spinner label="Loading the form" />}>
        <SignIn />
      </Suspense>
    </section>
  );
}

/** Until it is known who is signed in. */
export function LookingUp() {
  const { unreachable } = useSession();
  useWaiting(unreachable ? "unreachable" : null, "your sign-in");
  return <Spinner label="Looking up your sign-in" />;
}

/** The sign-in form over a page that stays as it is, even where the form does not load. */
export function SignInAgain() {
  const { expired, unreachable } = useSession();
  return (
    <Dialog open={expired} title="Sign in again" onClose={dismissSignIn}>
      <p className="muted">Your sign-in has expired. Nothing on this page is lost.</p>
      {unreachable ? (
        <LookingUp />
      ) : (
        <ErrorBoundary>
          <Suspense fallback={<Spinner label="Loading the form" />}>
            <SignIn />
          </Suspense>
        </ErrorBoundary>
      )}
    </Dialog>
  );
}
