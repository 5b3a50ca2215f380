import { type MouseEvent, Suspense, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { RequireSession, SignInAgain } from "./auth/RequireSession";
import { useSession } from "./auth/session";
import { Header } from "./Header";
import { Home } from "./pages/Home";
import { NotFound } from "./pages/NotFound";
import { app } from "./texts/en/app";
import { common } from "./texts/en/common";
import { texts, useTexts } from "./texts/texts";
import { AskedKeys } from "./ui/AskedKeys";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { lazily } from "./ui/lazily";
import { NewVersion } from "./ui/NewVersion";
import { Offline } from "./ui/Offline";
import { Spinner } from "./ui/Spinner";

const loadGallery = () => import("./pages/Gallery");
const loadJobPage = () => import("./pages/job/JobPage");
const Gallery = lazily(() => texts(app).parts.gallery, loadGallery);
const JobPage = lazily(() => texts(app).parts.job, loadJobPage);
const Keys = lazily(
  () => texts(app).parts.keys,
  () => import("./pages/Keys"),
);
const Reference = lazily(
  () => texts(app).parts.reference,
  () => import("./pages/reference/Reference"),
);
const Webhooks = lazily(
  () => texts(app).parts.webhooks,
  () => import("./pages/webhooks/Webhooks"),
);
const SharedPage = lazily(
  () => texts(app).parts.shared,
  () => import("./pages/Shared"),
);

/** After the first page itself. */
const AHEAD_MS = 1500;

export function App() {
  const t = useTexts(app);
  const { loading } = useTexts(common);
  const path = useFreshPage();
  useNextPages();
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it does lead to what it names. */}
      <a className="skip-link" href="#main" onClick={skip}>
        {t.skip}
      </a>
      <Header />
      <Offline />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Spinner label={loading} />}>
            <Switch>
              <Route path="/">
                <Home />
              </Route>
              <Route path="/signin">
                <title>{`${t.signIn} · Gen3D`}</title>
                <RequireSession why={t.whySignIn}>
                  <Home />
                </RequireSession>
              </Route>
              <Route path="/gallery">
                <RequireSession why={t.whyGallery}>
                  <Gallery />
                </RequireSession>
              </Route>
              <Route path="/keys">
                <RequireSession why={t.whyKeys}>
                  <Keys />
                </RequireSession>
              </Route>
              <Route path="/webhooks">
                <RequireSession why={t.whyWebhooks}>
                  <Webhooks />
                </RequireSession>
              </Route>
              <Route path="/jobs/:jobId">
                {({ jobId }) => (
                  <RequireSession why={t.whyJob}>
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
      <AskedKeys />
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
