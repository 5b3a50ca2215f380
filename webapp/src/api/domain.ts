// Written by `make copies` of what layers/gen3d/src/gen3d says; change it there.

/** Where a job stands. */
export const JOB_STATUSES = [
  "CREATED",
  "INITIALIZING",
  "AWAITING_MASK",
  "RECONSTRUCTING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "EXPIRED",
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** An execution is at work, or may yet be. */
export const RUNNING: readonly JobStatus[] = [
  "CREATED",
  "INITIALIZING",
  "AWAITING_MASK",
  "RECONSTRUCTING",
];

/** Where one object stands. */
export const OBJECT_STATUSES = ["PENDING", "MESHING", "COMPLETED", "FAILED"] as const;

export type ObjectStatus = (typeof OBJECT_STATUSES)[number];

/** What the API calls a failure. */
export const ERROR_NAMES = [
  "AddressRefused",
  "BatchNotFound",
  "DeliveryNotFound",
  "DependencyUnavailable",
  "EmptySurface",
  "EndpointMissing",
  "EndpointUnavailable",
  "ExecutionAborted",
  "ExecutionTimedOut",
  "FetchFailed",
  "GpuUnavailable",
  "IdempotencyKeyReused",
  "ImageMissing",
  "ImageTooLarge",
  "ImageTooSmall",
  "InferenceExpired",
  "InferenceFailed",
  "InputMissing",
  "InternalError",
  "InvalidDepth",
  "InvalidImage",
  "InvalidMask",
  "InvalidMesh",
  "InvalidRequest",
  "InvalidSplat",
  "JobConflict",
  "JobNotFound",
  "KeyNotFound",
  "LimitReached",
  "MailFailed",
  "MaskExpired",
  "NotAllowed",
  "NothingFound",
  "OptionNotOffered",
  "OutOfMemory",
  "OutputNotWritable",
  "ReconstructionFailed",
  "ShareNotFound",
  "SplatTooLarge",
  "StorageUnavailable",
  "Unauthorized",
  "UnsupportedImage",
  "UnsupportedVersion",
  "WebhookNotFound",
  "WeightsInvalid",
  "WeightsUnavailable",
] as const;

export type ErrorName = (typeof ERROR_NAMES)[number];

/** Content types of photos that are taken → their files' endings. */
export const PHOTO_ENDINGS = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/avif": "avif",
} as const;

export type PhotoType = keyof typeof PHOTO_ENDINGS;

/** The files of a mesh, in the order in which they are offered. */
export const MESH_FORMATS = [
  { ending: "glb", label: "GLB", use: "for the web, Blender, game engines" },
  { ending: "draco.glb", label: "GLB, small", use: "Draco, for readers that know it" },
  { ending: "zip", label: "OBJ, textured", use: "a ZIP, with its material" },
  { ending: "obj", label: "OBJ", use: "with vertex colours" },
  { ending: "stl", label: "STL", use: "for 3D printing" },
  { ending: "ply", label: "PLY", use: "with vertex colours" },
  { ending: "3mf", label: "3MF", use: "for 3D printing in colour" },
  { ending: "usdz", label: "USDZ", use: "for AR on iPhone and iPad" },
] as const;

/** Those of its gaussians, beside their PLY. */
export const SPLAT_FORMATS = [
  { ending: "spz", label: "Splat, small", use: "the gaussians, SPZ" },
] as const;

/** Those of all objects together. */
export const SCENE_FORMATS = [
  { ending: "glb", label: "GLB", use: "every mesh, and the photo's camera" },
  { ending: "spz", label: "SPZ", use: "every splat, small" },
  { ending: "ply", label: "Splat", use: "every splat, PLY" },
] as const;

export type MeshFile = (typeof MESH_FORMATS | typeof SPLAT_FORMATS)[number]["ending"] | "preview";
export type SceneFile = (typeof SCENE_FORMATS)[number]["ending"] | "preview";

/** What people read of each option, and its value where nobody chooses. */
export const OPTIONS = {
  engine: {
    quality: { title: "Reconstruction quality", default: "standard" },
    seed: { title: "Seed", default: 0 },
    seeds: { title: "Seeds to try", default: 1 },
  },
  mesh: {
    quality: { title: "Mesh quality", default: "standard" },
    faces: { title: "Faces, at most", default: null },
    texture: { title: "Texture, pixels a side", default: null },
    height: { title: "Height, mm", default: null },
  },
} as const;

/** Objects in one job. */
export const MAX_OBJECTS = 8;

/** Letters in the name of what is looked for. */
export const MAX_TEXT = 200;

/** Score of a found mask that is offered at once. */
export const SURE = 0.5;

/** Byte of a found mask's logit of zero. */
export const LOGIT_ZERO = 128;

/** Bytes from one such logit to the next. */
export const LOGIT_STEPS = 8;

/** Letters in the name of a job or an object. */
export const MAX_NAME = 100;

/** Letters in an address. */
export const MAX_URL = 2048;

/** A photo's file. */
export const MAX_PHOTO_BYTES = 20_971_520;

/** Width times height. */
export const MAX_PHOTO_PIXELS = 50_000_000;

/** The shorter side, in pixels. */
export const MIN_PHOTO_SIDE = 32;
