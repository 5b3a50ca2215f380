import type { JobStatus, MeshFile, ObjectStatus, OPTIONS, PhotoType, SceneFile } from "./domain";

/** A signed form: POST the fields, then the file. */
export interface UploadForm {
  url: string;
  fields: Record<string, string>;
}

export interface CreatedJob {
  jobId: string;
  /** The job's folder in the bucket, with its closing slash. */
  prefix: string;
  upload: UploadForm;
}

export interface JobSummary {
  jobId: string;
  name: string;
  status: JobStatus;
  createdAt: string;
  objects: number;
  /** A signed link, or null where there is no picture yet. */
  picture: string | null;
  /** Whether the picture is of a draft. */
  draft?: boolean;
}

export interface JobPage {
  jobs: JobSummary[];
  cursor: string | null;
}

/** ISO times; `ms` once it has ended. */
export interface TimeSpan {
  start: string | null;
  end: string | null;
  ms: number | null;
}

export interface Failure {
  error: string;
  message: string;
}

export interface FileLink {
  url: string;
  bytes: number;
}

/** What a mesh is, in figures. */
export interface MeshFigures {
  vertices: number;
  faces: number;
  watertight: boolean;
  components: number;
  /** Of a splat. */
  gaussians?: number;
  gaussiansKept?: number;
  /** Share of what the splat shows that the mesh explains; not in older meshes. */
  coverage?: number | null;
  /** What to know before the mesh is used. */
  warnings?: string[];
  /** How true it is to the photo, where its engine saw how it stood there. */
  truth?: { silhouette: number; colour: number | null; score?: number } | null;
  timings?: Record<string, number>;
}

/** A quick mesh by the lite engine, which stands until the object's own does. */
export interface DraftView {
  files: Partial<Record<MeshFile, FileLink>>;
  picture?: { url: string };
  mesh?: MeshFigures;
}

/** How far an object is on its way from the mask to the mesh; an estimate. */
export interface ProgressView {
  /** What goes on now, by the engine's own name, or `mesh`. */
  phase: string;
  fraction: number;
  /** Null where nobody knows. */
  restSeconds: number | null;
}

/** The decoder of the best embeddings that there are. */
export interface DecoderView {
  engine: string;
  revision: string;
  url: string;
  /** Whether they are the lite engine's, and better ones are on their way. */
  draft?: boolean;
}

/** Who uses an option. */
export type OptionPart = keyof typeof OPTIONS;

export type OptionValue = string | number | null;

/** What is chosen for an object. An older page passes on what it does not know. */
export type Options = Record<OptionPart, Record<string, OptionValue>>;

/** What may be chosen of an option: one of some values, or a whole number within bounds. */
export type Offered =
  | { values: (string | number)[]; seconds?: Record<string, number> }
  | { values?: undefined; seconds?: undefined; minimum: number; maximum: number };

/** By part and option. */
export type Offers = Record<OptionPart, Record<string, Offered>>;

/**
 * Where an object stands before the photo's camera (x left, y up, z forward): it takes a point p of
 * its splat, or of its engine's mesh with Z up, there by scale · R p + translation.
 */
export interface Pose {
  /** A unit quaternion, wxyz. */
  rotation: [number, number, number, number];
  translation: [number, number, number];
  scale: [number, number, number];
  /** Of that camera, across the photo's longer side, radians. */
  field_of_view?: number;
  /** False where distance and size are of no measure that the photo's objects share. */
  shared_depth?: boolean;
}

/** What one of several seeds makes of an object. */
export interface VariantView {
  seed: number;
  status: ObjectStatus;
  /** Whether it is the object. */
  kept: boolean;
  picture?: { url: string };
  mesh?: MeshFigures;
  error?: Failure;
}

export interface ObjectView {
  n: number;
  name: string;
  /** Absent where the API is older than options, and says a seed alone. */
  options?: Options;
  seed: number;
  status: ObjectStatus;
  mask?: { url: string };
  splat?: {
    url: string;
    gaussians: number;
    bytes: number;
    timings?: Record<string, number>;
    /** Of an engine that finds it out. */
    pose?: Pose;
  };
  /** In the place of a splat, of an engine that makes meshes: as it made it. */
  engineMesh?: {
    url: string;
    vertices: number;
    faces: number;
    bytes: number;
    timings?: Record<string, number>;
    pose?: Pose;
  };
  mesh?: MeshFigures;
  files?: Partial<Record<MeshFile, FileLink>>;
  /** While there is one and no mesh. */
  draft?: DraftView;
  /** Where several seeds were tried. */
  variants?: VariantView[];
  /** While it is made, and known. */
  progress?: ProgressView;
  error?: Failure;
}

export interface JobView {
  jobId: string;
  name: string;
  filename: string;
  contentType: PhotoType;
  prefix: string;
  status: JobStatus;
  createdAt: string;
  /** What was looked for in the photo. */
  text: string | null;
  /** Which execution of the job this is; 0 before the first. */
  run: number;
  /** How many requests are before the job's own in the queue; null where it waits in none. */
  queue: { ahead: number } | null;
  /** How soon to look again. */
  pollSeconds: number | null;
  stages: { initialize: TimeSpan; mask: TimeSpan; reconstruct: TimeSpan };
  objects: ObjectView[];
  image?: { width: number; height: number; bytes: number; url: string };
  embeddings?: { url: string };
  decoder?: DecoderView;
  /** What may be chosen for its objects. */
  offers?: Offers;
  /** Of several objects, and of one where it was asked for. */
  scene?: SceneView;
  error?: Failure;
}

/** The objects together, or why they are not. */
export interface SceneView {
  files?: Partial<Record<SceneFile, FileLink>>;
  /** Whether that is its unit. */
  metres?: boolean;
  objects?: { n: number; placed: "pose" | "mask"; height: number }[];
  error?: Failure;
}

export interface ObjectRequest {
  name: string;
  options: Options;
}

/** An object that is to be made anew, or kept as one of several seeds has made it. */
export interface RetriedObject {
  n: number;
  options?: Options;
  keep?: number;
}
