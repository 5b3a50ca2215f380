import { Camera, ImageUp } from "lucide-react";
import { type DragEvent, useCallback, useEffect, useRef, useState } from "react";
import { ACCEPT, checkPhoto, type Photo } from "../photo/photo";
import { SAMPLES, type Sample } from "../photo/samples";
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

  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      const file = clipboardData?.files[0];
      void take(file, file?.name ?? "");
    };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, [take]);

  function drop(event: DragEvent): void {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) void take(file, file.name);
    else setError(new Error("That was no file. Drop a photo from your device."));
  }

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
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping has its buttons beside it. */}
      <div
        className={over ? "drop drop-over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <ImageUp className="drop-icon" aria-hidden="true" />
        <p className="drop-title">Drop a photo here</p>
        <p className="muted">or paste it, or</p>
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
