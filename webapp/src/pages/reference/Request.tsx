import { useId, useState } from "react";
import { reference as said } from "../../texts/en/reference";
import { useTexts } from "../../texts/texts";
import {
  curlOf,
  type Description,
  examplesOf,
  isOpen,
  isPersons,
  jsonOf,
  type Operation,
  resolved,
  type Schema,
} from "./description";
import { Method } from "./Reference";
import { Fields, Prose, Type } from "./Schema";

interface Props {
  description: Description;
  operation: Operation;
  api: string;
}

/** A request: what it takes, what it answers, what it refuses. */
export function Request({ description, operation, api }: Props) {
  const { operationId, path, summary, parameters, requestBody, responses } = operation;
  const t = useTexts(said);
  const body = jsonOf(requestBody);
  return (
    <section id={operationId} className="reference-part" aria-labelledby={`${operationId}-name`}>
      <h2 id={`${operationId}-name`}>
        <Method operation={operation} /> {path}
      </h2>
      <p className="reference-summary" lang="en">
        {summary}
      </p>
      {operation.description && <Prose text={operation.description} />}
      {isOpen(operation) && <p className="muted">{t.open}</p>}
      {isPersons(operation) && <p className="muted">{t.persons}</p>}
      <Code label={t.byCurl(operationId)} text={curlOf(description, operation, api)} />
      <h3>{t.takes}</h3>
      <dl className="fields">
        {parameters.map((parameter) => (
          <div key={parameter.name}>
            <dt>
              <code>{parameter.name}</code>
              <span className="badge">{parameter.in}</span>
            </dt>
            <dd>
              <span className="muted">
                <Type schema={parameter.schema} />
              </span>
              {parameter.description && <Prose text={parameter.description} />}
            </dd>
          </div>
        ))}
      </dl>
      {body && (
        <>
          <Fields schema={resolved<Schema>(description, body.schema)} />
          <Examples of={t.request(operationId)} examples={examplesOf(description, body)} />
        </>
      )}
      <h3>{t.answers}</h3>
      {Object.entries(responses).map(([status, answer]) => {
        const content = jsonOf(answer);
        return (
          <details key={status} className="answer">
            <summary>
              <span className={`status status-${status[0]}`}>{status}</span>{" "}
              {(answer.description ?? "").split("\n\n").map(inWords).join(", ")}
            </summary>
            {Number(status) >= 400 && <Prose text={answer.description ?? ""} />}
            {content && (
              <>
                <p className="muted">
                  <Type schema={content.schema} />
                </p>
                <Examples
                  of={`${operationId}, ${status}`}
                  examples={examplesOf(description, content)}
                />
              </>
            )}
          </details>
        );
      })}
    </section>
  );
}

/** Of an error its name, of all else the sentence. */
function inWords(line: string): string {
  return /^`(\w+)`:/.exec(line)?.[1] ?? line.replaceAll("`", "");
}

function Examples({ of, examples }: { of: string; examples: [string, string][] }) {
  const t = useTexts(said);
  const id = useId();
  const [shown, setShown] = useState(0);
  const [, text] = examples[shown] ?? [];
  if (text === undefined) return null;
  return (
    <>
      {examples.length > 1 && (
        <label className="reference-choice" htmlFor={id}>
          {t.example}
          <select
            id={id}
            className="input"
            value={shown}
            onChange={({ target }) => setShown(target.selectedIndex)}
          >
            {examples.map(([name], n) => (
              <option key={name} value={n}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Code label={t.exampleOf(of)} text={text} />
    </>
  );
}

/** What is longer than the page is wide is scrolled, by keys too. */
function Code({ label, text }: { label: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys.
    <section className="code" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}
