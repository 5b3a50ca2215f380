import { type ReactNode, useId } from "react";
import { choose, KNOWN, type OptionValue, secondsOf } from "../../api/chosen";
import type { Offered, OffersView, OptionsView } from "../../api/types";
import { options } from "../../texts/en/options";
import { useTexts } from "../../texts/texts";
import { duration } from "../../ui/format";
import { optionSaid, titleOf } from "./said-options";
import "./option-fields.css";

interface Props {
  /** What this job's engine and the mesh step offer; an older API says nothing of it. */
  offers: OffersView | undefined;
  value: OptionsView;
  onChange(value: OptionsView): void;
  children?: ReactNode;
}

/** A disclosure with what may be chosen, and nothing where that is nothing. */
export function OptionFields({ offers, value, onChange, children }: Props) {
  const t = useTexts(options);
  const id = useId();
  if (!offers) return null;
  const shown = KNOWN.flatMap((option) => {
    const offered = offers[option.part][option.name];
    return offered && isChoice(offered) ? [{ option, offered }] : [];
  });
  if (shown.length === 0) return null;
  const seconds = secondsOf(offers, value);
  return (
    <details className="options">
      <summary>{t.options}</summary>
      <div className="options-fields">
        {shown.map(({ option, offered }) => (
          <div key={`${option.part} ${option.name}`}>
            <label htmlFor={`${id} ${option.part} ${option.name}`}>{titleOf(option)}</label>
            <Field
              id={`${id} ${option.part} ${option.name}`}
              offered={offered}
              start={option.start}
              value={value[option.part][option.name] ?? option.start}
              onChange={(chosen) => onChange(choose(value, option, chosen))}
            />
          </div>
        ))}
      </div>
      {seconds !== null && <p className="muted small">{t.seconds(duration(1000 * seconds))}</p>}
      {children}
    </details>
  );
}

interface FieldProps {
  id: string;
  offered: Offered;
  start: OptionValue;
  value: OptionValue;
  onChange(value: OptionValue): void;
}

function Field({ id, offered, start, value, onChange }: FieldProps) {
  if ("values" in offered) {
    const values = [start, ...offered.values.filter((one) => one !== start)];
    return (
      <select
        id={id}
        className="input"
        value={String(value)}
        onChange={({ target }) => onChange(values[target.selectedIndex] ?? start)}
      >
        {values.map((one) => (
          <option key={one} value={String(one)}>
            {optionSaid(one)}
          </option>
        ))}
      </select>
    );
  }
  const { minimum, maximum } = offered;
  return (
    <input
      id={id}
      className="input"
      type="number"
      min={minimum}
      max={maximum}
      placeholder={optionSaid(null)}
      value={value ?? ""}
      onChange={({ target }) => onChange(target.value === "" ? start : target.valueAsNumber)}
      onBlur={() => typeof value === "number" && onChange(within(value, minimum, maximum))}
    />
  );
}

/** What was typed, as the nearest number that may be sent. */
export function within(value: number, minimum: number, maximum: number): number {
  return Math.min(Math.max(Math.round(value), minimum), maximum);
}

function isChoice(offered: Offered): boolean {
  return "values" in offered ? offered.values.length > 1 : offered.maximum > offered.minimum;
}
