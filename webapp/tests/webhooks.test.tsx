import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Router } from "wouter";
import type { ApiClient } from "../src/api/client";
import type { DeliveryView, WebhookView } from "../src/api/types";
import type { AppConfig } from "../src/config/config";
import { Deliveries } from "../src/pages/webhooks/Deliveries";
import Webhooks from "../src/pages/webhooks/Webhooks";
import { ServicesContext } from "../src/services";

const AT = "2026-11-29T10:00:00Z";
const hook: WebhookView = {
  webhookId: "W1",
  url: "https://example.com/gen3d",
  events: ["job.completed", "job.failed"],
  createdAt: AT,
  stoppedAt: null,
};
const delivery: DeliveryView = {
  deliveryId: "D1",
  eventId: "J1-1-COMPLETED",
  type: "job.completed",
  jobId: "J1",
  createdAt: AT,
  state: "PENDING",
  attempts: [
    { at: AT, ms: 12, status: 500, answer: "<b>away</b>" },
    {
      at: "2026-11-29T10:00:05Z",
      ms: 15_000,
      status: null,
      answer: "",
      error: { error: "FetchFailed", message: "example.com did not answer." },
    },
  ],
  nextAt: AT,
};

function rendered(page: React.ReactNode, queries: QueryClient): string {
  return renderToStaticMarkup(
    <Router ssrPath="/webhooks">
      <ServicesContext value={{ api: {} as ApiClient, config: {} as AppConfig }}>
        <QueryClientProvider client={queries}>{page}</QueryClientProvider>
      </ServicesContext>
    </Router>,
  );
}

function listed(...webhooks: WebhookView[]): string {
  const queries = new QueryClient();
  queries.setQueryData(["webhooks"], webhooks);
  return rendered(<Webhooks />, queries);
}

function sent(of: WebhookView, ...deliveries: DeliveryView[]): string {
  const queries = new QueryClient();
  const page = { deliveries, cursor: null };
  queries.setQueryData(["webhooks", "W1", "deliveries"], { pages: [page], pageParams: [null] });
  return rendered(<Deliveries of={of} look={() => undefined} />, queries);
}

describe("the page of webhooks", () => {
  it("says what each is told of, in words, also of an event that it does not know", () => {
    const newer = { ...hook, events: ["job.dreamt" as "job.failed"] };
    expect(listed(hook)).toContain("Models are ready, A job failed");
    expect(listed(newer)).toContain("job.dreamt");
    expect(listed()).toContain("No webhooks yet");
  });

  it("says of one that has ended why it is told nothing", () => {
    expect(listed(hook)).not.toContain("410");
    expect(listed({ ...hook, stoppedAt: AT })).toContain("as it answered 410");
  });
});

describe("what was sent", () => {
  it("shows each attempt, what was answered, as text, or why nobody did", () => {
    const shown = sent(hook, delivery);
    expect(shown).toContain("answered 500");
    expect(shown).toContain("&lt;b&gt;away&lt;/b&gt;");
    expect(shown).toContain("example.com did not answer.");
    expect(shown).toContain("next try");
    expect(shown).toContain('href="/jobs/J1"');
  });

  it("is sent again to who still wants to hear, alone", () => {
    expect(sent(hook, delivery)).toContain("Send again");
    expect(sent({ ...hook, stoppedAt: AT }, delivery)).not.toContain("Send again");
    expect(sent(hook)).toContain("Nothing within a week.");
  });
});
