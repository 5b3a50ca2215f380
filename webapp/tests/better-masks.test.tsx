import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { BetterMasks } from "../src/pages/select/BetterMasks";
import { Found } from "../src/pages/select/Candidates";
import { Decodes } from "../src/selection/decodes";
import type { Decoded } from "../src/selection/prompt";
import { activeObject, emptySelection, reduce } from "../src/selection/selection";

const click = { x: 1, y: 1, label: 1 } as const;
const { objects } = reduce(emptySelection(), { type: "click", click });
const answer: Decoded = { masks: Float32Array.of(1), width: 1, height: 1, scores: [0.5] };
const ignore = () => undefined;
const made = (earlier?: Decodes) =>
  new Decodes(() => new Promise(ignore), null, [], ignore, ignore, earlier?.handOver(objects));

function redrawn(): Decodes {
  const earlier = made();
  earlier.restore(objects, [answer]);
  return made(earlier);
}

describe("the note that masks were drawn anew", () => {
  const shown = (decodes: Decodes, of = objects) =>
    renderToStaticMarkup(<BetterMasks objects={of} decodes={decodes} />);

  it("is read out where it stands, and leads back and forth", () => {
    const decodes = redrawn();
    decodes.restore(objects, [answer]);
    expect(shown(decodes)).toMatch(/role="status">Better masks are here<.*>Keep mine</);
    decodes.keepEarlier(true);
    expect(shown(decodes)).toMatch(/role="status">Your masks stay<.*>Take the better ones</);
  });

  it("comes only when they are there, and where there was a mask before", () => {
    const first = made();
    first.restore(objects, [answer]);
    for (const silent of [
      shown(redrawn()),
      shown(first),
      shown(redrawn(), emptySelection().objects),
    ]) {
      expect(silent).toContain('role="status"');
      expect(silent).not.toContain("button");
    }
  });
});

describe("what is looked for by its name", () => {
  const found = (awaited: boolean, scores: number[] = [], foundText = "") =>
    renderToStaticMarkup(
      <Found
        text="cups"
        foundText={foundText}
        found={scores.map((score) => ({
          masks: Float32Array.of(1),
          width: 1,
          height: 1,
          scores: [score],
        }))}
        awaited={awaited}
        object={activeObject(emptySelection())}
        photo={{ width: 1, height: 1, url: "/p" }}
        act={ignore}
        point={ignore}
      />,
    );

  it("is not called missing while the model that finds it is awaited", () => {
    expect(found(true)).toContain("It is looked for by its name");
    expect(found(true)).not.toContain("Nothing is of that name");
    expect(found(false)).toContain("Nothing is of that name for sure");
  });

  it("is offered where the model is sure, and the rest on request", () => {
    const offered = found(false, [0.9, 0.5, 0.4, 0.3, 0.2]);
    expect(offered.match(/class="candidate"/g)).toHaveLength(2);
    expect(offered).toContain("Show 3 less sure");
    expect(offered).not.toContain("Nothing is of that name");
    const unsure = found(false, [0.4]);
    expect(unsure).toContain("Nothing is of that name for sure");
    expect(unsure).toContain("Show 1 less sure");
    expect(found(false, [0.9])).not.toContain("less sure");
  });

  it("says by which word it was found", () => {
    const offered = found(false, [0.9], "cup");
    expect(offered).toContain("Found: cup<");
    expect(offered).toContain("Nothing was found by “cups”");
    expect(offered).toContain('aria-label="cup 1 of 1, certainty 90 percent"');
  });
});
