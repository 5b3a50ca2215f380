import { type MouseEvent, Suspense, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { RequireSession, SignInAgain } from "./auth/RequireSession";
import { useSession } from "./auth/session";
import { Header } from "./Header";
import { Home } from "./pages/Home";
import { NotFound } from "./pages/NotFound";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { lazily } from "./ui/lazily";
import { NewVersion } from "./ui/NewVersion";
import { Offline } from "./ui/Offline";
import { Spinner } from "./ui/Spinner";

const loadGallery = () => import("./pages/Gallery");
const loadJobPage = () => import("./pages/job/JobPage");
const Gallery = lazily("the gallery", loadGallery);
const JobPage = lazily("the job", loadJobPage);
const Keys = lazily("your keys", () => import("./pages/Keys"));
const Reference = lazily("the description of the API", () => import("./pages/reference/Reference"));
const SharedPage = lazily("the shared model", () => import("./pages/Shared"));

/** After the first page itself. */
const AHEAD_MS = 1500;

export function App() {
  const path = useFreshPage();
  useNextPages();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it does lead to what it names. */}
      <a className="skip-link" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header />
      <Offline />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Spinner label="Loading" />}>
            <Switch>
              <Route path="/">
                <Home />
              </Route>
              <Route path="/signin">
                <title>Sign in · Gen3D</title>
                <RequireSession why="Your photos and models are yours alone.">
                  <Home />
                </RequireSession>
              </Route>
              <Route path="/gallery">
                <RequireSession why="The gallery shows your own jobs.">
                  <Gallery />
                </RequireSession>
              </Route>
              <Route path="/keys">
                <RequireSession why="Keys let programs act as you.">
                  <Keys />
                </RequireSession>
              </Route>
              <Route path="/jobs/:jobId">
                {({ jobId }) => (
                  <RequireSession why="Sign in with the account that this job belongs to.">
                    <JobPage key={jobId} jobId={jobId} />
                  </RequireSession>
                )}
              </Route>
              <Route path="/shared/:shareId?">
                {({ shareId = "" }) => <SharedPage key={shareId} shareId={shareId} />}
              </Route>
              <Route path="/api">
                <Reference />
              </Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
      <SignInAgain />
      <NewVersion />
    </>
  );
}

/** Go to the content, and leave the address alone: its fragment may say something. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** Who is signed in goes to these pages next: they are there before, should the connection be lost. */
function useNextPages(): void {
  const { person } = useSession();
  useEffect(() => {
    if (!person) return;
    const timer = setTimeout(() => {
      for (const load of [loadJobPage, loadGallery]) load().catch(() => undefined);
    }, AHEAD_MS);
    return () => clearTimeout(timer);
  }, [person]);
}

/** A new page starts at its top. */
function useFreshPage(): string {
  const [path] = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what makes a page new.
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [path]);
  return path;
}
