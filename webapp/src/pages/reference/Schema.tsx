import type { ReactNode } from "react";
import { reference as said } from "../../texts/en/reference";
import { useTexts } from "../../texts/texts";
import { type Schema, wordsOf } from "./description";

/** A schema's fields, or what it is where it has none. */
export function Fields({ schema }: { schema: Schema }) {
  const t = useTexts(said);
  const fields = Object.entries(schema.properties ?? {});
  return (
    <>
      {schema.description && <Prose text={schema.description} />}
      {fields.length === 0 ? (
        <p className="muted">
          <Type schema={schema} />
        </p>
      ) : (
        <dl className="fields">
          {fields.map(([name, field]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
                {schema.required?.includes(name) ? null : <span className="badge">{t.absent}</span>}
                {field.deprecated && <span className="badge">{t.deprecated}</span>}
              </dt>
              <dd>
                <span className="muted">
                  <Type schema={field} />
                </span>
                {field.description && <Prose text={field.description} />}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

/** A type, whose name leads to its model. */
export function Type({ schema }: { schema: Schema }) {
  return wordsOf(schema).map((word, n) =>
    typeof word === "string" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the words of a type stay in their order.
      <span key={n}>{word}</span>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <a key={n} href={`#${word.name}`}>
        {word.name}
      </a>
    ),
  );
}

/** Paragraphs, with `code` as code. */
export function Prose({ text }: { text: string }) {
  return text
    .trim()
    .split("\n\n")
    .map((paragraph) => (
      <p key={paragraph} lang="en">
        {quoted(paragraph)}
      </p>
    ));
}

function quoted(text: string): ReactNode[] {
  return text.split("`").map((part, n) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence stay in their order.
    return n % 2 ? <code key={n}>{part}</code> : part;
  });
}
