import { type ReactNode, useId } from "react";

export interface Choice<T extends string> {
  value: T;
  label: string;
  icon?: ReactNode;
  hint?: string;
}

interface Props<T extends string> {
  legend: string;
  choices: readonly Choice<T>[];
  value: T;
  onChange(value: T): void;
}

/** One of a few: radio buttons that look like a switch. */
export function Segmented<T extends string>({ legend, choices, value, onChange }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="segmented">
      <legend className="visually-hidden">{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} title={choice.hint}>
          <input
            type="radio"
            name={name}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span className="segment">
            {choice.icon}
            <span className="segment-label">{choice.label}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
