import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import type { AttemptView, DeliveryView, WebhookView } from "../../api/types";
import { useServices } from "../../services";
import { common } from "../../texts/en/common";
import { webhooks } from "../../texts/en/webhooks";
import { sentenceFor } from "../../texts/sentence";
import { useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { date, duration } from "../../ui/format";
import { Spinner } from "../../ui/Spinner";

const LOOK_MS = 15_000;
/** While something is about to be tried. */
const LOOK_SOON_MS = 3000;
const SOON_MS = 60_000;

interface Props {
  of: WebhookView;
  /** Told when a receiver may have ended its webhook. */
  look(): void;
}

/** What a webhook was told within a week, what it answered, and a way to have it told again. */
export function Deliveries({ of, look }: Props) {
  const t = useTexts(webhooks);
  const { tryAgain } = useTexts(common);
  const { api } = useServices();
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    {
      queryKey: ["webhooks", of.webhookId, "deliveries"],
      queryFn: async ({ pageParam }) => {
        const page = await api.listDeliveries(of.webhookId, pageParam);
        if (!of.stoppedAt && page.deliveries.some(answeredGone)) look();
        return page;
      },
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.cursor,
      refetchInterval: ({ state }) =>
        state.data?.pages.some((page) => page.deliveries.some(soon)) ? LOOK_SOON_MS : LOOK_MS,
    },
  );
  const found = data?.pages.flatMap((page) => page.deliveries);
  return (
    <section className="deliveries" aria-label={t.sentTo(of.url)}>
      {error && (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void refetch()}>
            {tryAgain}
          </button>
        </ErrorNote>
      )}
      {!found && !error && <Spinner label={t.loadingSent} />}
      {found?.length === 0 && <p className="muted">{t.nothingSent}</p>}
      <ul>
        {found?.map((delivery) => (
          <Row key={delivery.deliveryId} of={delivery} webhook={of} sent={() => void refetch()} />
        ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="button button-quiet button-small"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {t.showMore}
        </button>
      )}
    </section>
  );
}

interface RowProps {
  of: DeliveryView;
  webhook: WebhookView;
  sent(): void;
}

function Row({ of, webhook, sent }: RowProps) {
  const t = useTexts(webhooks);
  const { api } = useServices();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function again(): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      await api.redeliver(webhook.webhookId, of.deliveryId);
      sent();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }

  return (
    <li className="delivery">
      <div className="delivery-head">
        <div>
          <span className={`delivery-state delivery-${of.state.toLowerCase()}`}>
            {t.states[of.state] ?? of.state}
          </span>{" "}
          <Link href={`/jobs/${of.jobId}`}>{t.events[of.type] ?? of.type}</Link>{" "}
          <span className="muted">
            {date(of.createdAt)}
            {of.nextAt && of.attempts.length > 0 && ` · ${t.nextTry(date(of.nextAt))}`}
          </span>
        </div>
        {!webhook.stoppedAt && (
          <button
            type="button"
            className="button button-quiet button-small"
            disabled={busy}
            onClick={() => void again()}
          >
            {t.sendAgain}
          </button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} />}
      {of.attempts.length > 0 && (
        <ol className="attempts">
          {of.attempts.map((attempt) => (
            <li key={attempt.at}>
              <Answer of={attempt} />
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

function Answer({ of }: { of: AttemptView }) {
  const t = useTexts(webhooks);
  const { error = "", message = t.noAnswer } = of.error ?? {};
  const taken = `${date(of.at)}, ${duration(of.ms)}`;
  if (of.status === null) {
    return (
      <>
        <span className="muted">{taken}:</span> {sentenceFor({ error, message })}
      </>
    );
  }
  return (
    <>
      <span className="muted">{taken}:</span> {t.answered(of.status)}
      {of.answer && (
        <>
          {" "}
          <code>{of.answer}</code>
        </>
      )}
    </>
  );
}

function soon(delivery: DeliveryView): boolean {
  if (delivery.state !== "PENDING") return false;
  return delivery.nextAt === null || Date.parse(delivery.nextAt) - Date.now() < SOON_MS;
}

function answeredGone(delivery: DeliveryView): boolean {
  return delivery.attempts.some((attempt) => attempt.status === 410);
}
