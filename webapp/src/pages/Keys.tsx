import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { MAX_NAME } from "../api/domain";
import type { KeyView, NewKey, Right } from "../api/types";
import { useServices } from "../services";
import { Confirm } from "../ui/Confirm";
import { Dialog } from "../ui/Dialog";
import { ErrorNote } from "../ui/ErrorNote";
import { date } from "../ui/format";
import { Spinner } from "../ui/Spinner";
import { useDialogTask } from "../ui/useDialogTask";
import "./keys.css";

const RIGHTS: Record<Right, string> = {
  read: "See my jobs and fetch their files",
  create: "Create, change and delete jobs",
};

/** One's keys for programs: made, shown once, withdrawn. */
export default function Keys() {
  const { api } = useServices();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);
  const [withdrawing, setWithdrawing] = useState<KeyView | null>(null);
  const { data, error, refetch } = useQuery({ queryKey: ["keys"], queryFn: () => api.listKeys() });
  return (
    <div className="page keys">
      <title>Keys · Gen3D</title>
      <header className="gallery-head">
        <h1>Keys</h1>
        <button type="button" className="button" onClick={() => setMaking(true)}>
          New key
        </button>
      </header>
      <p className="muted">
        A program that has a key of yours makes meshes as you do: its jobs are yours, and so are
        their costs.
      </p>
      {error && (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void refetch()}>
            Try again
          </button>
        </ErrorNote>
      )}
      {!data && !error && <Spinner label="Loading your keys" />}
      {data?.length === 0 && (
        <section className="empty">
          <KeyRound aria-hidden="true" />
          <h2>No keys yet</h2>
        </section>
      )}
      <ul className="key-list">
        {data?.map((key) => (
          <Row key={key.keyId} of={key} withdraw={() => setWithdrawing(key)} />
        ))}
      </ul>
      <Make open={making} close={() => setMaking(false)} show={setMade} />
      <Made made={made} close={() => setMade(null)} />
      <Withdraw of={withdrawing} close={() => setWithdrawing(null)} />
    </div>
  );
}

function Row({ of, withdraw }: { of: KeyView; withdraw(): void }) {
  const day = of.jobsPerDay ? `, ${of.jobsPerDay} jobs a day` : "";
  return (
    <li className="key">
      <div className="key-about">
        <span className="key-name">{of.name}</span>
        <code className="muted">gen3d_{of.keyId}_…</code>
        <span className="muted">
          {of.rights.join(", ")}
          {day} · made {date(of.createdAt)} · {of.usedAt ? `used ${date(of.usedAt)}` : "never used"}
        </span>
      </div>
      <button
        type="button"
        className="button button-quiet button-small"
        aria-label={`Withdraw ${of.name}`}
        onClick={withdraw}
      >
        Withdraw
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
  const { api } = useServices();
  const queries = useQueryClient();
  const { work, leave, busy, error } = useDialogTask(close);

  function make(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const rights = form.getAll("right") as Right[];
    const asked = { name: String(form.get("name")), rights };
    const jobsPerDay = Number(form.get("jobsPerDay") || 0);
    void work(async () => {
      show(await api.createKey(jobsPerDay ? { ...asked, jobsPerDay } : asked));
      await queries.invalidateQueries({ queryKey: ["keys"] });
    });
  }

  return (
    <Dialog open={open} title="New key" onClose={leave}>
      <form className="key-form" onSubmit={make}>
        <label>
          What it is for
          <input className="input" name="name" maxLength={MAX_NAME} required />
        </label>
        <fieldset>
          <legend>What it may</legend>
          {Object.entries(RIGHTS).map(([right, words]) => (
            <label className="check" key={right}>
              <input type="checkbox" name="right" value={right} defaultChecked /> {words}
            </label>
          ))}
        </fieldset>
        <label>
          Jobs a day, at most (empty: as many as you may)
          <input className="input" name="jobsPerDay" type="number" min={1} max={100_000} />
        </label>
        {error !== null && <ErrorNote error={error} />}
        <div className="actions">
          <button type="button" className="button button-quiet" disabled={busy} onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="button" disabled={busy}>
            Make the key
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Made({ made, close }: { made: NewKey | null; close(): void }) {
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    if (!made) return;
    try {
      await navigator.clipboard.writeText(made.key);
      setCopied(true);
    } catch {
      setCopied(false); // it is on the screen, to be copied by hand
    }
  }

  function leave(): void {
    setCopied(false);
    close();
  }

  return (
    <Dialog open={made !== null} title={`The key “${made?.name}”`} onClose={leave}>
      <p>
        <strong>It is shown this once.</strong> Keep it where your program's secrets are; who has it
        acts as you.
      </p>
      <div className="key-secret">
        <input
          className="input"
          aria-label="Key"
          readOnly
          value={made?.key ?? ""}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" className="button button-quiet" onClick={() => void copy()}>
          <Copy aria-hidden="true" /> {copied ? "Copied" : "Copy"}
        </button>
      </div>
      <div className="actions">
        <button type="button" className="button" onClick={leave}>
          I have kept it
        </button>
      </div>
    </Dialog>
  );
}

function Withdraw({ of, close }: { of: KeyView | null; close(): void }) {
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
      title={`Withdraw “${of?.name}”?`}
      what="Withdraw"
      confirm={() => of && withdraw(of.keyId)}
      {...{ leave, busy, error }}
    >
      Within a minute no program can call with it any more, for good. Jobs that it made go on.
    </Confirm>
  );
}
