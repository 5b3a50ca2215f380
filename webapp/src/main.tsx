import "@fontsource-variable/geist/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { patience } from "./api/again";
import { type ApiClient, createClient } from "./api/client";
import { ApiError } from "./api/error";
import { credentials, personNow, startSession, watchPerson } from "./auth/session";
import { configureAmplify } from "./config/amplify";
import { loadConfig } from "./config/config";
import { sweep } from "./kept/sweep";
import { ServicesContext } from "./services";
import { startLanguage } from "./texts/languages";
import { isOffline, watchConnection, watchedFetch, whenFound } from "./ui/connection";
import { refuseStrayDrops } from "./ui/drops";
import { ErrorNote } from "./ui/ErrorNote";
import { watchVersion } from "./ui/NewVersion";
import { Reload } from "./ui/Reload";
import { applyTheme } from "./ui/theme";

const SWEEP_AFTER_MS = 10_000;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retryDelay: patience,
      retry: (failures, error) => failures < 3 && error instanceof ApiError && error.transient,
    },
  },
});

watchVersion();
watchConnection();
refuseStrayDrops();

// What one person has looked at is not shown to the next.
watchPerson(() => queries.clear());

/** See to what this browser keeps, once the page has what it needs. */
function sweepFor(api: ApiClient): void {
  setTimeout(() => personNow() && void sweep(api), SWEEP_AFTER_MS);
}

async function start(root: HTMLElement): Promise<void> {
  applyTheme();
  const react = createRoot(root);
  // Without its texts the page is in English.
  const language = startLanguage().catch(() => undefined);
  try {
    const config = await loadConfig();
    configureAmplify(config);
    await language;
    const api = createClient({
      baseUrl: config.apiUrl,
      token: () => credentials.idToken(),
      renew: () => credentials.renew(),
      fetcher: watchedFetch,
    });
    react.render(
      <StrictMode>
        <ServicesContext value={{ api, config }}>
          <QueryClientProvider client={queries}>
            <App />
          </QueryClientProvider>
        </ServicesContext>
      </StrictMode>,
    );
    await startSession();
    sweepFor(api);
  } catch (error) {
    if (isOffline(error)) whenFound("Gen3D", () => window.location.reload());
    react.render(
      <main className="page narrow">
        <ErrorNote error={error}>
          <Reload />
        </ErrorNote>
      </main>,
    );
  }
}

void start(document.getElementById("root") as HTMLElement);
