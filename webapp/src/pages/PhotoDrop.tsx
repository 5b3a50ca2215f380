import { Camera, ImageUp } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { PHOTO_ENDINGS } from "../api/domain";
import { checkPhoto, type Photo } from "../photo/photo";
import { SAMPLES, type Sample } from "../photo/samples";
import { photo } from "../texts/en/photo";
import { texts, useTexts } from "../texts/texts";
import { carriesFiles } from "../ui/drops";
import { ErrorNote } from "../ui/ErrorNote";
import { Spinner } from "../ui/Spinner";

/** What a file input offers; phones of Apple's make a JPEG of a HEIC that is not asked for. */
function offered(): string {
  const makesJpegs = navigator.vendor?.startsWith("Apple") && navigator.maxTouchPoints > 0;
  const heic = makesJpegs ? [] : ["image/heic", "image/heif"];
  return [...Object.keys(PHOTO_ENDINGS), ...heic].join(",");
}

interface Props {
  onPhoto(photo: Photo): void;
  samples?: boolean;
}

/** Drag, paste, choose or take a photo, or try a sample. */
export function PhotoDrop({ onPhoto, samples = true }: Props) {
  const t = useTexts(photo);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>(null);
  /** A HEIC photo of 48 megapixels takes a while. */
  const [reading, setReading] = useState(false);
  /** Of two that are chosen one after the other, the second is meant. */
  const latest = useRef<Blob | null>(null);
  const files = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);

  const take = useCallback(
    async (file: Blob | null | undefined, name: string) => {
      if (!file) return;
      latest.current = file;
      const isMeant = () => latest.current === file;
      setError(null);
      setReading(true);
      try {
        const checked = await checkPhoto(file, name);
        if (isMeant()) onPhoto(checked);
      } catch (failure) {
        if (isMeant()) setError(failure);
      } finally {
        if (isMeant()) setReading(false);
      }
    },
    [onPhoto],
  );

  const takeOne = useCallback(
    (files: FileList) => {
      const [file] = files;
      if (files.length > 1) setError(new Error(texts(photo).tooMany(files.length)));
      else void take(file, file?.name ?? "");
    },
    [take],
  );

  // Anywhere on the page: what misses the field is meant for it, too.
  useEffect(() => {
    const end = new AbortController();
    const { signal } = end;
    const isMeant = (event: DragEvent) =>
      carriesFiles(event) || (event.target as Element).closest?.(".drop");
    const drag = (event: DragEvent) => {
      if (!isMeant(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = ({ relatedTarget }: DragEvent) => !relatedTarget && setOver(false);
    const drop = (event: DragEvent) => {
      setOver(false);
      if (!event.dataTransfer || !isMeant(event)) return;
      event.preventDefault();
      if (event.dataTransfer.files.length > 0) takeOne(event.dataTransfer.files);
      else setError(new Error(texts(photo).noFile));
    };
    const paste = ({ clipboardData }: ClipboardEvent) => {
      if (clipboardData) takeOne(clipboardData.files);
    };
    window.addEventListener("dragover", drag, { signal, capture: true });
    window.addEventListener("dragleave", leave, { signal });
    window.addEventListener("drop", drop, { signal, capture: true });
    window.addEventListener("paste", paste, { signal });
    return () => end.abort();
  }, [takeOne]);

  async function tryOut({ name, url }: Sample): Promise<void> {
    try {
      await take(await (await fetch(url)).blob(), `${name}.jpg`);
    } catch {
      setError(new Error(t.noSample));
    }
  }

  const choose = (input: HTMLInputElement | null) => {
    const file = input?.files?.[0];
    void take(file, file?.name ?? "");
    // The same file may be chosen again.
    if (input) input.value = "";
  };

  return (
    <div className="photo-drop">
      {error !== null && <ErrorNote error={error} />}
      <div className={over ? "drop drop-over" : "drop"}>
        {reading ? (
          <Spinner label={t.reading} />
        ) : (
          <ImageUp className="drop-icon" aria-hidden="true" />
        )}
        <p className="drop-title with-mouse">{t.drop}</p>
        <p className="muted with-mouse">{t.orPaste}</p>
        <p className="drop-title by-touch">{t.add}</p>
        <div className="drop-buttons">
          <button type="button" className="button" onClick={() => files.current?.click()}>
            {t.choose}
          </button>
          <button
            type="button"
            className="button button-quiet take-photo"
            onClick={() => camera.current?.click()}
          >
            <Camera aria-hidden="true" /> {t.take}
          </button>
        </div>
        <input
          ref={files}
          type="file"
          accept={offered()}
          hidden
          aria-label={t.photo}
          onChange={() => choose(files.current)}
        />
        <input
          ref={camera}
          type="file"
          accept={offered()}
          capture="environment"
          hidden
          aria-label={t.camera}
          onChange={() => choose(camera.current)}
        />
      </div>
      {samples && SAMPLES.length > 0 && (
        <div className="samples">
          <p className="muted" id="samples">
            {t.samples}
          </p>
          <ul aria-labelledby="samples">
            {SAMPLES.map((sample) => (
              <li key={sample.name}>
                <button type="button" className="sample" onClick={() => void tryOut(sample)}>
                  <img src={sample.url} alt={t.sample[sample.name] ?? sample.name} />
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
