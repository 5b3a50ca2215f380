import { Camera, ImageUp } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { ACCEPT, checkPhoto, type Photo } from "../photo/photo";
import { SAMPLES, type Sample } from "../photo/samples";
import { carriesFiles } from "../ui/drops";
import { ErrorNote } from "../ui/ErrorNote";

interface Props {
  onPhoto(photo: Photo): void;
  samples?: boolean;
}

/** Drag, paste, choose or take a photo, or try a sample. */
export function PhotoDrop({ onPhoto, samples = true }: Props) {
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const files = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);

  const take = useCallback(
    async (file: Blob | null | undefined, name: string) => {
      if (!file) return;
      setError(null);
      try {
        onPhoto(await checkPhoto(file, name));
      } catch (failure) {
        setError(failure);
      }
    },
    [onPhoto],
  );

  const takeOne = useCallback(
    (files: FileList) => {
      const [file] = files;
      if (files.length > 1) setError(tooMany(files.length));
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
      else setError(new Error("That was no file. Drop a photo from your device."));
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
      setError(new Error("The sample could not be loaded. Check the connection and try again."));
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
        <ImageUp className="drop-icon" aria-hidden="true" />
        <p className="drop-title with-mouse">Drop a photo here</p>
        <p className="muted with-mouse">or paste it, or</p>
        <p className="drop-title by-touch">Add a photo</p>
        <div className="drop-buttons">
          <button type="button" className="button" onClick={() => files.current?.click()}>
            Choose a photo
          </button>
          <button
            type="button"
            className="button button-quiet take-photo"
            onClick={() => camera.current?.click()}
          >
            <Camera aria-hidden="true" /> Take one
          </button>
        </div>
        <input
          ref={files}
          type="file"
          accept={ACCEPT}
          hidden
          aria-label="Photo"
          onChange={() => choose(files.current)}
        />
        <input
          ref={camera}
          type="file"
          accept={ACCEPT}
          capture="environment"
          hidden
          aria-label="Camera"
          onChange={() => choose(camera.current)}
        />
      </div>
      {samples && SAMPLES.length > 0 && (
        <div className="samples">
          <p className="muted" id="samples">
            Or try one of these
          </p>
          <ul aria-labelledby="samples">
            {SAMPLES.map((sample) => (
              <li key={sample.name}>
                <button type="button" className="sample" onClick={() => void tryOut(sample)}>
                  <img src={sample.url} alt={sample.description} />
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function tooMany(files: number): Error {
  return new Error(`Those were ${files} files. Add one photo; each is a job of its own.`);
}
