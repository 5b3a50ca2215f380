import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiError, offline } from "../../api/error";
import { useServices } from "../../services";
import { reference as said } from "../../texts/en/reference";
import { texts, useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { Spinner } from "../../ui/Spinner";
import { type Description, isDescription, type Operation, operationsOf } from "./description";
import { Request } from "./Request";
import { Fields, Prose } from "./Schema";
import "./reference.css";

/** What programs may ask of this deployment, as it describes itself; no account is needed. */
export default function Reference() {
  const t = useTexts(said);
  const { config } = useServices();
  const url = `${config.apiUrl}/openapi.json`;
  const { data, error } = useQuery({ queryKey: ["description", url], queryFn: () => load(url) });
  useNamedPart(data);
  if (error) {
    return (
      <section className="page narrow">
        <ErrorNote error={error} />
      </section>
    );
  }
  if (!data) return <Spinner label={t.loading} />;
  const operations = operationsOf(data);
  return (
    <div className="page reference">
      <title>{`${t.title} · Gen3D`}</title>
      <nav aria-label={t.requests} className="reference-nav">
        <ul>
          {operations.map((operation) => (
            <li key={operation.operationId}>
              <a href={`#${operation.operationId}`}>
                <Method operation={operation} /> <span>{operation.path}</span>
              </a>
            </li>
          ))}
        </ul>
        <h2>{t.models}</h2>
        <ul>
          {Object.keys(data.components.schemas).map((name) => (
            <li key={name}>
              <a href={`#${name}`}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
      <div>
        <h1>{t.version(data.info.version)}</h1>
        <Prose text={data.info.description} />
        <p>
          {t.about((words) => (
            <a href={url}>{words}</a>
          ))}
        </p>
        {operations.map((operation) => (
          <Request
            key={operation.operationId}
            description={data}
            operation={operation}
            api={config.apiUrl}
          />
        ))}
        <h2 className="reference-models">{t.models}</h2>
        {Object.entries(data.components.schemas).map(([name, schema]) => (
          <section key={name} id={name} className="reference-part" aria-labelledby={`${name}-name`}>
            <h3 id={`${name}-name`}>{name}</h3>
            <Fields schema={schema} />
          </section>
        ))}
      </div>
    </div>
  );
}

export function Method({ operation }: { operation: Operation }) {
  return (
    <span className={`method method-${operation.method.toLowerCase()}`}>{operation.method}</span>
  );
}

async function load(url: string): Promise<Description> {
  const response = await fetch(url).catch(() => {
    throw offline();
  });
  const value: unknown = response.ok ? await response.json().catch(() => null) : null;
  if (isDescription(value)) return value;
  throw new ApiError(
    "UnexpectedAnswer",
    texts(said).unreadable,
    response.ok ? 502 : response.status,
  );
}

/** Go to what the address names, once it is there. */
function useNamedPart(description: Description | undefined): void {
  useEffect(() => {
    if (description) document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
  }, [description]);
}
