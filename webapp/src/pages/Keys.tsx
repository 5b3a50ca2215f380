import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { MAX_NAME } from "../api/domain";
import type { KeyView, NewKey, Right } from "../api/types";
import { useServices } from "../services";
import { common } from "../texts/en/common";
import { keys } from "../texts/en/keys";
import { useTexts } from "../texts/texts";
import { Confirm } from "../ui/Confirm";
import { DialogForm } from "../ui/DialogForm";
import { ErrorNote } from "../ui/ErrorNote";
import { date } from "../ui/format";
import { ShownOnce } from "../ui/ShownOnce";
import { Spinner } from "../ui/Spinner";
import { useDialogTask } from "../ui/useDialogTask";
import { ForPrograms } from "./ForPrograms";
import "./keys.css";

/** One's keys for programs: made, shown once, withdrawn. */
export default function Keys() {
  const t = useTexts(keys);
  const { tryAgain } = useTexts(common);
  const { api } = useServices();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);
  const [withdrawing, setWithdrawing] = useState<KeyView | null>(null);
  const { data, error, refetch } = useQuery({ queryKey: ["keys"], queryFn: () => api.listKeys() });
  return (
    <div className="page keys">
      <title>{`${t.keys} · Gen3D`}</title>
      <ForPrograms />
      <header className="page-head">
        <h1>{t.keys}</h1>
        <button type="button" className="button" onClick={() => setMaking(true)}>
          {t.newKey}
        </button>
      </header>
      <p className="muted">{t.about}</p>
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
          <KeyRound aria-hidden="true" />
          <h2>{t.empty}</h2>
        </section>
      )}
      <ul className="key-list">
        {data?.map((key) => (
          <Row key={key.keyId} of={key} withdraw={() => setWithdrawing(key)} />
        ))}
      </ul>
      <Make open={making} close={() => setMaking(false)} show={setMade} />
      <ShownOnce
        secret={made?.key ?? null}
        what={t.key}
        title={t.theKey(made?.name ?? "")}
        close={() => setMade(null)}
      >
        {t.keepIt}
      </ShownOnce>
      <Withdraw of={withdrawing} close={() => setWithdrawing(null)} />
    </div>
  );
}

function Row({ of, withdraw }: { of: KeyView; withdraw(): void }) {
  const t = useTexts(keys);
  const day = of.jobsPerDay ? `, ${t.jobsADay(of.jobsPerDay)}` : "";
  return (
    <li className="key">
      <div className="key-about">
        <span className="key-name">{of.name}</span>
        <code className="muted">{`gen3d_${of.keyId}_…`}</code>
        <span className="muted">
          {of.rights.join(", ")}
          {day} · {t.made(date(of.createdAt))} · {of.usedAt ? t.used(date(of.usedAt)) : t.neverUsed}
        </span>
      </div>
      <button
        type="button"
        className="button button-quiet button-small"
        aria-label={t.withdrawOne(of.name)}
        onClick={withdraw}
      >
        {t.withdraw}
      </button>
    </li>
  );
}

interface MakeProps {
  open: boolean;
  close(): void;
  show(made: NewKey): void;
}

function Make({ open, close, show }: MakeProps) {
  const t = useTexts(keys);
  const { api } = useServices();
  const queries = useQueryClient();
  const { work, leave, busy, error } = useDialogTask(close);

  function make(form: FormData): void {
    const rights = form.getAll("right") as Right[];
    const asked = { name: String(form.get("name")), rights };
    const jobsPerDay = Number(form.get("jobsPerDay") || 0);
    void work(async () => {
      show(await api.createKey(jobsPerDay ? { ...asked, jobsPerDay } : asked));
      await queries.invalidateQueries({ queryKey: ["keys"] });
    });
  }

  return (
    <DialogForm open={open} title={t.newKey} what={t.make} send={make} {...{ leave, busy, error }}>
      <label>
        {t.whatFor}
        <input className="input" name="name" maxLength={MAX_NAME} required />
      </label>
      <fieldset>
        <legend>{t.whatItMay}</legend>
        {Object.entries(t.rights).map(([right, words]) => (
          <label className="check" key={right}>
            <input type="checkbox" name="right" value={right} defaultChecked /> {words}
          </label>
        ))}
      </fieldset>
      <label>
        {t.limit}
        <input className="input" name="jobsPerDay" type="number" min={1} max={100_000} />
      </label>
    </DialogForm>
  );
}

function Withdraw({ of, close }: { of: KeyView | null; close(): void }) {
  const t = useTexts(keys);
  const { api } = useServices();
  const queries = useQueryClient();
  const { work, leave, busy, error } = useDialogTask(close);

  function withdraw(keyId: string): void {
    void work(async () => {
      await api.withdrawKey(keyId);
      queries.setQueryData<KeyView[]>(["keys"], (keys) => keys?.filter((k) => k.keyId !== keyId));
    });
  }

  return (
    <Confirm
      open={of !== null}
      title={t.askWithdraw(of?.name ?? "")}
      what={t.withdraw}
      confirm={() => of && withdraw(of.keyId)}
      {...{ leave, busy, error }}
    >
      {t.withdrawn}
    </Confirm>
  );
}
