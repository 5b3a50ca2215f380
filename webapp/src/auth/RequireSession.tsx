import { type ReactNode, Suspense } from "react";
import { app } from "../texts/en/app";
import { auth } from "../texts/en/auth";
import { texts, useTexts } from "../texts/texts";
import { useWaiting } from "../ui/connection";
import { Dialog } from "../ui/Dialog";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { lazily } from "../ui/lazily";
import { Spinner } from "../ui/Spinner";
import { dismissSignIn, useSession } from "./session";

const SignIn = lazily(
  () => texts(app).parts.signIn,
  () => import("./SignIn"),
);

/** The sign-in form in place of what needs a person. */
export function RequireSession({ children, why }: { children: ReactNode; why: string }) {
  const t = useTexts(auth);
  const { person } = useSession();
  if (person === undefined) return <LookingUp />;
  if (person) return children;
  return (
    <section className="sign-in">
      <h1>{t.signIn}</h1>
      <p className="muted">{why}</p>
      <Suspense fallback={<Spinner label={t.loading} />}>
        <SignIn />
      </Suspense>
    </section>
  );
}

/** Until it is known who is signed in. */
export function LookingUp() {
  const t = useTexts(auth);
  const { unreachable } = useSession();
  useWaiting(unreachable ? "unreachable" : null, t.waiting);
  return <Spinner label={t.lookingUp} />;
}

/** The sign-in form over a page that stays as it is, even where the form does not load. */
export function SignInAgain() {
  const t = useTexts(auth);
  const { expired, unreachable } = useSession();
  return (
    <Dialog open={expired} title={t.again} onClose={dismissSignIn}>
      <p className="muted">{t.nothingLost}</p>
      {unreachable ? (
        <LookingUp />
      ) : (
        <ErrorBoundary>
          <Suspense fallback={<Spinner label={t.loading} />}>
            <SignIn />
          </Suspense>
        </ErrorBoundary>
      )}
    </Dialog>
  );
}
