import { beforeEach, describe, expect, it, vi } from "vitest";

const amplify = vi.hoisted(() => ({ fetchAuthSession: vi.fn(), signOut: vi.fn() }));
const listen = vi.hoisted(() => vi.fn());

vi.mock("aws-amplify/auth", () => amplify);
vi.mock("aws-amplify/utils", () => ({ Hub: { listen } }));
// Outside a component the hook gives what the session is.
vi.mock("react", () => ({ useSyncExternalStore: (_: unknown, now: () => unknown) => now() }));

const OVER = {};
const LOST = new TypeError("Failed to fetch");
const REVOKED = Object.assign(new Error("Token revoked"), { name: "NotAuthorizedException" });

function signedIn(name: string) {
  const payload = { sub: name, email: `${name}@example.com` };
  return { tokens: { idToken: { payload, toString: () => `token of ${name}` } } };
}

/** What Amplify answers from now on, and first. */
function answers(last: object, ...first: object[]): void {
  const answer = (value: object) => async () => {
    if (value instanceof Error) throw value;
    return value;
  };
  amplify.fetchAuthSession.mockReset().mockImplementation(answer(last));
  for (const value of first) amplify.fetchAuthSession.mockImplementationOnce(answer(value));
}

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockReturnValue();
  amplify.signOut.mockReset().mockResolvedValue(undefined);
});

/** A page just loaded. */
const load = () => import("../src/auth/session");

describe("a session", () => {
  it("outlives a lost connection", async () => {
    const { credentials, startSession, useSession } = await load();
    answers(signedIn("ada"));
    await startSession();
    answers(LOST);
    await expect(credentials.idToken()).rejects.toMatchObject({ name: "Offline", status: 0 });
    await expect(credentials.renew()).rejects.toMatchObject({ name: "Offline", transient: true });
    expect(useSession()).toMatchObject({ person: { sub: "ada" }, expired: false });
    expect(amplify.signOut).not.toHaveBeenCalled();
    answers(signedIn("ada"));
    expect(await credentials.idToken()).toBe("token of ada");
  });

  it.each([
    ["has ended", OVER],
    ["was revoked", REVOKED],
  ])("that %s waits for the person", async (_, end) => {
    const { credentials, startSession, useSession } = await load();
    answers(signedIn("ada"));
    await startSession();
    answers(end);
    const token = credentials.idToken();
    await vi.waitFor(() => expect(useSession().expired).toBe(true));
    expect(amplify.signOut).toHaveBeenCalledOnce();
    answers(signedIn("ada"));
    listen.mock.lastCall?.[1]({ payload: { event: "signedIn" } });
    expect(await token).toBe("token of ada");
    expect(useSession()).toMatchObject({ person: { sub: "ada" }, expired: false });
  });

  it("is asked for until there is an answer", async () => {
    const { startSession, useSession } = await load();
    answers(signedIn("ada"), LOST, LOST);
    const started = startSession();
    await vi.advanceTimersByTimeAsync(10);
    expect(useSession()).toMatchObject({ person: undefined, unreachable: true });
    await vi.advanceTimersByTimeAsync(10_000);
    await started;
    expect(useSession().unreachable).toBeFalsy();
    expect(useSession().person?.sub).toBe("ada");
  });

  it("tells when somebody else is there, or nobody, and not when it only goes on", async () => {
    const { credentials, dismissSignIn, signOut, startSession, useSession, watchPerson } =
      await load();
    const people: (string | undefined)[] = [];
    watchPerson(() => people.push(useSession().person?.sub));
    const signIn = async (name: string) => {
      answers(signedIn(name));
      listen.mock.lastCall?.[1]({ payload: { event: "signedIn" } });
      await vi.waitFor(() => expect(useSession()).toMatchObject({ person: { sub: name } }));
    };
    const expire = async () => {
      answers(OVER);
      const token = credentials.idToken();
      await vi.waitFor(() => expect(useSession().expired).toBe(true));
      return { token };
    };

    answers(signedIn("ada"));
    await startSession();
    const { token: renewed } = await expire();
    await signIn("ada");
    await renewed;
    expect(people).toEqual(["ada"]);

    const { token: refused } = await expire();
    dismissSignIn();
    await expect(refused).rejects.toMatchObject({ name: "Unauthorized" });
    await signIn("bob");
    await signOut();
    expect(people).toEqual(["ada", undefined, "bob", undefined]);
  });

  it("leaves nothing behind that the form would take for a sign-in", async () => {
    const { startSession, useSession } = await load();
    answers(REVOKED);
    await startSession();
    expect(useSession().person).toBeNull();
    expect(amplify.signOut).toHaveBeenCalledOnce();
  });
});
