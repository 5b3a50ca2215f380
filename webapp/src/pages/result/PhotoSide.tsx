import type { JobView, ObjectView } from "../../api/types";
import { result as said } from "../../texts/en/result";
import { useTexts } from "../../texts/texts";

interface Props {
  image: NonNullable<JobView["image"]>;
  name: string;
  /** Which is lit; without one the photo is as it is. */
  object: ObjectView | null;
}

/** The photo, all but the object dimmed. */
export function PhotoSide({ image, name, object }: Props) {
  const t = useTexts(said);
  const { width, height, url } = image;
  return (
    <figure className="photo-side">
      <div style={{ aspectRatio: `${width} / ${height}` }}>
        <img
          className={object ? "dimmed" : undefined}
          src={url}
          crossOrigin="anonymous"
          alt={name}
        />
        {object?.mask && (
          <img
            className="lit"
            src={url}
            crossOrigin="anonymous"
            alt=""
            style={{ maskImage: `url("${object.mask.url}")` }}
          />
        )}
      </div>
      <figcaption className="visually-hidden">
        {object ? t.highlighted(object.name) : t.photo}
      </figcaption>
    </figure>
  );
}
