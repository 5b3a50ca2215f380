import { common } from "../texts/en/common";
import { useTexts } from "../texts/texts";

export function Reload() {
  const t = useTexts(common);
  return (
    <button type="button" className="button" onClick={() => window.location.reload()}>
      {t.reload}
    </button>
  );
}
