interface Props {
  label: string;
  /** From 0 to 1; without one the bar only says that something goes on. */
  share: number | null;
  /** What is read out beside the percentage. */
  text?: string | null;
}

/** A bar. */
export function Progress({ label, share, text }: Props) {
  const percent = share === null ? undefined : Math.round(share * 100);
  return (
    <div
      className={share === null ? "progress progress-unknown" : "progress"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={text ? `${percent} %, ${text}` : undefined}
    >
      <span style={{ width: `${percent ?? 40}%` }} />
    </div>
  );
}
