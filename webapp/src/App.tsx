import { lazy, type MouseEvent, Suspense, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { RequireSession, SignInAgain } from "./auth/RequireSession";
import { Header } from "./Header";
import { Home } from "./pages/Home";
import { NotFound } from "./pages/NotFound";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { NewVersion } from "./ui/NewVersion";
import { Spinner } from "./ui/Spinner";

const Gallery = lazy(() => import("./pages/Gallery"));
const Keys = lazy(() => import("./pages/Keys"));
const JobPage = lazy(() => import("./pages/job/JobPage"));
const Reference = lazy(() => import("./pages/reference/Reference"));
const SharedPage = lazy(() => import("./pages/Shared"));

export function App() {
  const path = useFreshPage();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it does lead to what it names. */}
      <a className="skip-link" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header />
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
              <Route path="/shared">
                <SharedPage />
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

/** Go to the content, and leave the address alone: its fragment may be a shared object. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
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
