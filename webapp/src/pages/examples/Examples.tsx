import { examples } from "../../texts/en/examples";
import { useTexts } from "../../texts/texts";
import { EXAMPLES, type Shown } from "./finished";
import { Turnable } from "./Turnable";
import "./examples.css";

/** Finished models, to be turned by whoever has not signed up yet. */
export default function Examples() {
  const t = useTexts(examples);
  return (
    <>
      <h2 id="examples">{t.title}</h2>
      <p className="muted small">{t.about}</p>
      <ul className="examples-list" aria-labelledby="examples">
        {EXAMPLES.map((model) => (
          <li key={model.name}>
            <Example model={model} name={t.of[model.name] ?? model.name} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** The picture first; the model over it, once it is wanted and has come. */
function Example({ model, name }: { model: Shown; name: string }) {
  return (
    <figure className="example">
      <div className="example-frame">
        {model.picture && <img src={model.picture} alt="" />}
        <div className="example-model">
          <Turnable url={model.url} name={name} />
        </div>
      </div>
      <figcaption>{name}</figcaption>
    </figure>
  );
}
