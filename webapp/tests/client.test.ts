import { describe, expect, it, vi } from "vitest";
import { ApiClient, type Credentials, createClient } from "../src/api/client";
import { ApiError } from "../src/api/error";

interface Sent {
  url: string;
  init: RequestInit;
}

/** Answers in turn, and remembers what was sent. */
function server(...answers: (Response | Error)[]) {
  const sent: Sent[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    sent.push({ url, init });
    const answer = answers.shift();
    if (!answer) throw new Error("nothing more was expected");
    if (answer instanceof Error) throw answer;
    return answer;
  }) as typeof fetch;
  return { sent, fetcher };
}

function signedIn(): Credentials & { renewed: number } {
  const credentials = {
    renewed: 0,
    idToken: async () => `token-${credentials.renewed}`,
    renew: async () => {
      credentials.renewed += 1;
    },
  };
  return credentials;
}

const job = { jobId: "J1", status: "CREATED", objects: [] };

describe("ApiClient", () => {
  it("sends the ID token and the body", async () => {
    const { sent, fetcher } = server(
      Response.json(
        { jobId: "J1", prefix: "", upload: { url: "/b", fields: {} } },
        { status: 201 },
      ),
    );
    await new ApiClient("https://api", signedIn(), fetcher).createJob("cup.jpg", "image/jpeg");
    expect(sent[0]?.url).toBe("https://api/jobs");
    expect(sent[0]?.init.headers).toMatchObject({ Authorization: "Bearer token-0" });
    expect(JSON.parse(String(sent[0]?.init.body))).toEqual({
      filename: "cup.jpg",
      contentType: "image/jpeg",
    });
  });

  it("is made for a key, and says of a refused one what the API says", async () => {
    const refusal = { error: "Unauthorized", message: "There is no such key." };
    const { sent, fetcher } = server(
      Response.json({ jobs: [], cursor: null }),
      Response.json(refusal, { status: 401 }),
      Response.json(refusal, { status: 401 }),
    );
    const api = createClient({ baseUrl: "https://api/", key: "gen3d_1", fetcher });
    await api.listJobs(null);
    expect(sent[0]?.url).toBe("https://api/jobs");
    expect(sent[0]?.init.headers).toMatchObject({ Authorization: "Bearer gen3d_1" });
    await expect(api.listJobs(null)).rejects.toMatchObject({
      name: "Unauthorized",
      message: "There is no such key.",
    });
  });

  it("asks for a whole job by a word of the caller's", async () => {
    const batch = { batchId: "B1", counts: {}, jobs: [{ jobId: "J1" }] };
    const { sent, fetcher } = server(Response.json(job), Response.json(batch));
    const api = createClient({ baseUrl: "", token: async () => "t", fetcher });
    const imageUrl = "https://example.com/cup.jpg";
    await api.fetchJob(imageUrl, [{ subject: "auto" }], "order-17");
    expect(sent[0]?.init.headers).toMatchObject({ "Idempotency-Key": "order-17" });
    expect(JSON.parse(String(sent[0]?.init.body))).toEqual({
      imageUrl,
      objects: [{ subject: "auto" }],
    });
    await api.createBatch([{ imageUrl, objects: [{ subject: "auto" }] }]);
    expect(sent[1]?.init.headers).not.toHaveProperty("Idempotency-Key");
  });

  it("asks for webhooks and what they were told, and reads no answer of another form", async () => {
    const hook = { webhookId: "W/1", url: "https://a", createdAt: "", events: [] };
    const delivery = { deliveryId: "D1", jobId: "J1", state: "PENDING", attempts: [] };
    const { sent, fetcher } = server(
      Response.json({ ...hook, secret: "whsec_1" }, { status: 201 }),
      Response.json({ webhooks: [hook] }),
      Response.json({ deliveries: [delivery], cursor: null }),
      Response.json(delivery, { status: 202 }),
      new Response(null, { status: 204 }),
      Response.json(hook, { status: 201 }),
    );
    const api = createClient({ baseUrl: "", key: "gen3d_1", fetcher });
    expect((await api.createWebhook({ url: "https://a" })).secret).toBe("whsec_1");
    expect(await api.listWebhooks()).toEqual([hook]);
    expect((await api.listDeliveries("W/1", "c")).deliveries).toHaveLength(1);
    expect((await api.redeliver("W/1", "D1")).state).toBe("PENDING");
    await api.withdrawWebhook("W/1");
    expect(sent.map(({ url }) => url)).toEqual([
      "/webhooks",
      "/webhooks",
      "/webhooks/W%2F1/deliveries?cursor=c",
      "/webhooks/W%2F1/deliveries/D1/redeliver",
      "/webhooks/W%2F1",
    ]);
    await expect(api.createWebhook({ url: "https://a" })).rejects.toMatchObject({
      name: "UnexpectedAnswer",
    });
  });

  it("throws the API's named error", async () => {
    const body = { error: "JobConflict", message: "It moved on." };
    const { fetcher } = server(Response.json(body, { status: 409 }));
    const failure = new ApiClient("", signedIn(), fetcher).getJob("J1");
    await expect(failure).rejects.toMatchObject({
      name: "JobConflict",
      message: "It moved on.",
      status: 409,
      transient: false,
    });
    await expect(failure).rejects.toBeInstanceOf(ApiError);
  });

  it("tells a refused photo from one that is not there yet", async () => {
    const answers: [string, number, boolean][] = [
      ["UnsupportedImage", 415, true],
      ["ImageTooLarge", 413, true],
      ["ImageTooSmall", 422, true],
      ["InvalidImage", 422, true],
      ["ImageMissing", 422, false],
      ["InternalError", 500, false],
    ];
    for (const [error, status, refusesPhoto] of answers) {
      const { fetcher } = server(Response.json({ error, message: "No." }, { status }));
      await expect(
        new ApiClient("", signedIn(), fetcher).initialize("J1", null),
      ).rejects.toMatchObject({ name: error, refusesPhoto });
    }
  });

  it("waits for a new sign-in and repeats the request with the new token", async () => {
    const credentials = signedIn();
    const { sent, fetcher } = server(
      Response.json({ message: "Unauthorized" }, { status: 401 }),
      Response.json(job),
    );
    const answer = await new ApiClient("", credentials, fetcher).getJob("J1");
    expect(answer.jobId).toBe("J1");
    expect(credentials.renewed).toBe(1);
    expect(sent[1]?.init.headers).toMatchObject({ Authorization: "Bearer token-1" });
  });

  it("does not ask for a sign-in forever", async () => {
    const { sent, fetcher } = server(
      Response.json({}, { status: 401 }),
      Response.json({}, { status: 401 }),
    );
    await expect(new ApiClient("", signedIn(), fetcher).getJob("J1")).rejects.toMatchObject({
      name: "Unauthorized",
    });
    expect(sent).toHaveLength(2);
  });

  it("names the lack of an answer", async () => {
    const { fetcher } = server(new TypeError("Failed to fetch"));
    await expect(new ApiClient("", signedIn(), fetcher).getJob("J1")).rejects.toMatchObject({
      name: "Offline",
      status: 0,
      transient: true,
    });
  });

  it("does not take a proxy's page for an answer", async () => {
    const { fetcher } = server(new Response("<html>", { status: 502 }), new Response("<html>"));
    const client = new ApiClient("", signedIn(), fetcher);
    await expect(client.getJob("J1")).rejects.toMatchObject({ name: "UnexpectedAnswer" });
    await expect(client.getJob("J1")).rejects.toMatchObject({ name: "UnexpectedAnswer" });
  });

  it.each([
    { ...job, status: "PONDERING" },
    { ...job, objects: undefined },
    { ...job, objects: [{ n: 0, status: "PONDERING" }] },
    null,
  ])("does not go on with a job that it does not know", async (newer) => {
    const { fetcher } = server(Response.json(newer));
    const answer = new ApiClient("", signedIn(), fetcher).getJob("J1");
    await expect(answer).rejects.toMatchObject({
      name: "UnexpectedAnswer",
      message: expect.stringContaining("Reload the page"),
    });
  });

  it("does not go on with a list or a form that it does not know", async () => {
    const { fetcher } = server(
      Response.json({ jobs: [job, { ...job, status: "PONDERING" }], cursor: null }),
      Response.json({ ...job, upload: null }),
      Response.json({ uploads: [{ url: "/b" }] }),
    );
    const client = new ApiClient("", signedIn(), fetcher);
    const name = "UnexpectedAnswer";
    await expect(client.listJobs(null)).rejects.toMatchObject({ name });
    await expect(client.createJob("a.jpg", "image/jpeg")).rejects.toMatchObject({ name });
    await expect(client.maskUploads("J1", 1)).rejects.toMatchObject({ name });
  });

  it("escapes what goes into a path or a query", async () => {
    const { sent, fetcher } = server(Response.json(job), Response.json({ jobs: [], cursor: null }));
    const client = new ApiClient("", signedIn(), fetcher);
    await client.getJob("../x");
    await client.listJobs("a=&b");
    expect(sent.map(({ url }) => url)).toEqual(["/jobs/..%2Fx", "/jobs?cursor=a%3D%26b"]);
  });

  it("takes answers with drafts and without, and none that it could not show", async () => {
    const cup = { n: 0, status: "PENDING" };
    const decoder = { engine: "lite", revision: "1", url: "/decoder.onnx" };
    const good = [
      { ...job, decoder, objects: [cup] },
      { ...job, decoder: { ...decoder, draft: true }, objects: [{ ...cup, draft: { files: {} } }] },
    ];
    const bad = [
      { ...job, objects: [{ ...cup, progress: { phase: "a", fraction: "0.5" } }] },
      { ...job, decoder: { ...decoder, draft: "yes" } },
      { ...job, decoder: { draft: true } },
      { ...job, objects: [{ ...cup, draft: true }] },
      { ...job, objects: [{ ...cup, draft: { picture: { url: "/p" } } }] },
    ];
    const { fetcher } = server(...[...good, ...bad].map((answer) => Response.json(answer)));
    const client = new ApiClient("", signedIn(), fetcher);
    for (const answer of good) expect(await client.getJob("J1")).toEqual(answer);
    for (const _ of bad) {
      await expect(client.getJob("J1")).rejects.toMatchObject({ name: "UnexpectedAnswer" });
    }
    const page = (draft: unknown) => Response.json({ jobs: [{ ...job, draft }], cursor: null });
    const list = new ApiClient("", signedIn(), server(page(true), page(1)).fetcher);
    expect((await list.listJobs(null)).jobs[0]?.draft).toBe(true);
    await expect(list.listJobs(null)).rejects.toMatchObject({ name: "UnexpectedAnswer" });
  });

  it("cancels and forgets by requests of their own; what is gone already is forgotten", async () => {
    const gone = { error: "JobNotFound", message: "There is no such job." };
    const { sent, fetcher } = server(
      Response.json(job, { status: 202 }),
      new Response(null, { status: 204 }),
      Response.json(gone, { status: 404 }),
      Response.json({ error: "DependencyUnavailable", message: "Later." }, { status: 503 }),
    );
    const client = new ApiClient("", signedIn(), fetcher);
    expect((await client.cancelJob("J1")).jobId).toBe("J1");
    await client.deleteJob("J1");
    await client.deleteJob("J1");
    await expect(client.deleteJob("J1")).rejects.toMatchObject({ status: 503 });
    expect(sent.map(({ url, init }) => `${init.method} ${url}`)).toEqual([
      "POST /jobs/J1/cancel",
      "DELETE /jobs/J1",
      "DELETE /jobs/J1",
      "DELETE /jobs/J1",
    ]);
  });

  it("asks for what failed, or for objects by their numbers", async () => {
    const { sent, fetcher } = server(Response.json(job), Response.json(job));
    const client = new ApiClient("", signedIn(), fetcher);
    const options = { engine: { seed: 5 }, mesh: {} };
    await client.retryJob("J1");
    await client.retryJob("J1", [{ n: 2, options }]);
    expect(sent.map(({ init }) => JSON.parse(String(init.body)))).toEqual([
      {},
      { objects: [{ n: 2, options }] },
    ]);
  });

  it("says when to ask again, by the answer's body or its header", async () => {
    vi.setSystemTime("2026-11-22T10:00:00.000Z");
    const limit = { error: "LimitReached", message: "Ten jobs are running.", retryAfter: 600 };
    const { fetcher } = server(
      Response.json(limit, { status: 429 }),
      Response.json({}, { status: 503, headers: { "Retry-After": "2" } }),
      Response.json({}, { status: 429 }),
    );
    const client = new ApiClient("", signedIn(), fetcher);
    const asked = () => client.getJob("J1").catch((error) => error);
    const refused = await asked();
    expect(refused).toMatchObject({ message: "Ten jobs are running.", transient: false });
    expect(refused.retryAt).toEqual(new Date("2026-11-22T10:10:00.000Z"));
    expect(await asked()).toMatchObject({ retryAfter: 2, transient: true });
    expect(await asked()).toMatchObject({ name: "TooManyRequests", retryAfter: null });
    vi.useRealTimers();
  });
});
