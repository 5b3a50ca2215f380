import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Webhook } from "lucide-react";
import { useState } from "react";
import { MAX_URL } from "../../api/domain";
import type { EventType, NewWebhook, WebhookView } from "../../api/types";
import { useServices } from "../../services";
import { common } from "../../texts/en/common";
import { webhooks } from "../../texts/en/webhooks";
import { useTexts } from "../../texts/texts";
import { Confirm } from "../../ui/Confirm";
import { DialogForm } from "../../ui/DialogForm";
import { ErrorNote } from "../../ui/ErrorNote";
import { date } from "../../ui/format";
import { ShownOnce } from "../../ui/ShownOnce";
import { Spinner } from "../../ui/Spinner";
import { useDialogTask } from "../../ui/useDialogTask";
import { ForPrograms } from "../ForPrograms";
import { Deliveries } from "./Deliveries";
import "./webhooks.css";

/** One's webhooks: registered, their secret shown once, what they were told, withdrawn. */
export default function Webhooks() {
  const t = useTexts(webhooks);
  const { tryAgain } = useTexts(common);
  const { api } = useServices();
  const [adding, setAdding] = useState(false);
  const [added, setAdded] = useState<NewWebhook | null>(null);
  const [withdrawing, setWithdrawing] = useState<WebhookView | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: ["webhooks"],
    queryFn: () => api.listWebhooks(),
  });
  return (
    <div className="page webhooks">
      <title>{`${t.webhooks} · Gen3D`}</title>
      <ForPrograms />
      <header className="page-head">
        <h1>{t.webhooks}</h1>
        <button type="button" className="button" onClick={() => setAdding(true)}>
          {t.newWebhook}
        </button>
      </header>
      <p className="muted">
        {t.about((words) => (
          <a href="https://www.standardwebhooks.com">{words}</a>
        ))}
      </p>
      {error && (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void refetch()}>
            {tryAgain}
          </button>
        </ErrorNote>
      )}
      {!data && !error && <Spinner label={t.loading} />}
      {data?.length === 0 && (
        <section className="empty">
          <Webhook aria-hidden="true" />
          <h2>{t.empty}</h2>
        </section>
      )}
      <ul className="webhook-list">
        {data?.map((webhook) => (
          <Row
            key={webhook.webhookId}
            of={webhook}
            withdraw={() => setWithdrawing(webhook)}
            look={() => void refetch()}
          />
        ))}
      </ul>
      <Add open={adding} close={() => setAdding(false)} show={setAdded} />
      <ShownOnce
        secret={added?.secret ?? null}
        what={t.secret}
        title={t.theSecret}
        close={() => setAdded(null)}
      >
        {t.keepIt}
      </ShownOnce>
      <Withdraw of={withdrawing} close={() => setWithdrawing(null)} />
    </div>
  );
}

interface RowProps {
  of: WebhookView;
  withdraw(): void;
  /** Ask anew: it may have ended. */
  look(): void;
}

function Row({ of, withdraw, look }: RowProps) {
  const t = useTexts(webhooks);
  const [open, setOpen] = useState(false);
  return (
    <li className="webhook">
      <div className="webhook-head">
        <div className="webhook-about">
          <span className="webhook-url">{of.url}</span>
          <span className="muted">
            {of.events.map((event) => t.events[event] ?? event).join(", ")} ·{" "}
            {t.registered(date(of.createdAt))}
          </span>
          {of.stoppedAt && <span className="webhook-ended">{t.ended(date(of.stoppedAt))}</span>}
        </div>
        <div className="webhook-actions">
          <button
            type="button"
            className="button button-quiet button-small"
            aria-expanded={open}
            aria-label={t.sentTo(of.url)}
            onClick={() => setOpen(!open)}
          >
            {t.sent}
          </button>
          <button
            type="button"
            className="button button-quiet button-small"
            aria-label={t.withdrawOne(of.url)}
            onClick={withdraw}
          >
            {t.withdraw}
          </button>
        </div>
      </div>
      {open && <Deliveries of={of} look={look} />}
    </li>
  );
}

interface AddProps {
  open: boolean;
  close(): void;
  show(added: NewWebhook): void;
}

function Add({ open, close, show }: AddProps) {
  const t = useTexts(webhooks);
  const { api } = useServices();
  const queries = useQueryClient();
  const { work, leave, busy, error } = useDialogTask(close);

  function add(form: FormData): void {
    const events = form.getAll("event") as EventType[];
    void work(async () => {
      show(await api.createWebhook({ url: String(form.get("url")).trim(), events }));
      await queries.invalidateQueries({ queryKey: ["webhooks"] });
    });
  }

  return (
    <DialogForm
      open={open}
      title={t.newWebhook}
      what={t.register}
      send={add}
      {...{ leave, busy, error }}
    >
      <label>
        {t.address}
        <input className="input" name="url" type="url" maxLength={MAX_URL} required />
      </label>
      <fieldset>
        <legend>{t.toldOf}</legend>
        {Object.entries(t.events).map(([event, words]) => (
          <label className="check" key={event}>
            <input type="checkbox" name="event" value={event} defaultChecked /> {words}
          </label>
        ))}
      </fieldset>
    </DialogForm>
  );
}

function Withdraw({ of, close }: { of: WebhookView | null; close(): void }) {
  const t = useTexts(webhooks);
  const { api } = useServices();
  const queries = useQueryClient();
  const { work, leave, busy, error } = useDialogTask(close);

  function withdraw(webhookId: string): void {
    void work(async () => {
      await api.withdrawWebhook(webhookId);
      queries.setQueryData<WebhookView[]>(["webhooks"], (webhooks) =>
        webhooks?.filter((each) => each.webhookId !== webhookId),
      );
    });
  }

  return (
    <Confirm
      open={of !== null}
      title={t.askWithdraw}
      what={t.withdraw}
      confirm={() => of && withdraw(of.webhookId)}
      {...{ leave, busy, error }}
    >
      {t.withdrawn(of?.url ?? "")}
    </Confirm>
  );
}
