// Written by `make copies` of functions/api/src/gen3d_api; change it there.

import type { ErrorName, JobStatus, ObjectStatus, PhotoType } from "./domain.js";

/** One try at a delivery. */
export interface AttemptView {
  at: string;
  /** How long it took. */
  ms: number;
  /** What was answered; null where nobody answered. */
  status: number | null;
  /** The beginning of the answer's body. */
  answer: string;
  /** Why there was no answer. */
  error?: ErrorView;
}

/** How many photos of a batch are where. */
export interface BatchCounts {
  /** For their turn, as their owner has as many jobs as one person may. */
  waiting: number;
  atWork: number;
  completed: number;
  /** Or cancelled. */
  failed: number;
  /** Became no job. */
  refused: number;
}

/** A ULID. */
export type BatchId = string;

/** A photo of a batch. */
export interface BatchItem {
  /** Its job's, which is not there before its turn comes, nor where it was refused. */
  jobId: JobId;
  /** Absent until its turn comes. */
  status?: JobStatus;
  /** Why it became no job. Of a job that failed, the job says why. */
  error?: ErrorView;
}

/** A photo of a batch, and what is made of it. */
export interface BatchPhoto {
  /** Where it lies, as in a job of its own. */
  imageUrl: string;
  /** Its job is named after it. */
  filename?: string | null;
  objects: ShownObject[];
}

/** A batch. */
export interface BatchView {
  batchId: BatchId;
  counts: BatchCounts;
  /** In the order of the photos. */
  jobs: BatchItem[];
}

/** A rectangle around the object. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A point on the object, or beside it. */
export interface Click {
  x: number;
  y: number;
  /** False where the point is none of the object's. */
  inside?: boolean;
}

/** Photos, of each of which a job is made. */
export interface CreateBatch {
  photos: BatchPhoto[];
}

/** A photo that is about to be uploaded, or lies somewhere, and perhaps what to make of it. */
export interface CreateJob {
  /** The job is named after it. May be left out beside `imageUrl`. */
  filename?: string | null;
  /** The photo's. It is uploaded under this type and no other. Not beside `imageUrl`. */
  contentType?: string | null;
  /**
   * Where the photo lies, for everybody to read, over https: it is fetched at once, and the job
   * begins.
   */
  imageUrl?: string | null;
  /**
   * Whether a depth map of the photo is uploaded, too, as phones with LiDAR measure one. Not beside
   * `imageUrl`.
   */
  depth?: boolean;
  /** What is made of it, without anybody who draws masks; without any, the job waits for them. */
  objects?: ShownObject[];
}

/** A key for a program. */
export interface CreateKey {
  /** What it is for. */
  name: string;
  rights?: Right[];
  /** How many jobs may be created with it within a day; 0 leaves its owner's limit alone. */
  jobsPerDay?: number;
}

/** An object that whoever has the link may see and download. */
export interface CreateShare {
  jobId: string;
  /** Its number in the job. */
  object?: number;
  /** For how long; it ends with the job where that is kept for less. */
  days?: number;
}

/** An address that is told of jobs. */
export interface CreateWebhook {
  url: string;
  /** What it is told of; everything, where nothing is said. */
  events?: EventType[];
}

/** A job that waits for its photo. */
export interface CreatedJob {
  jobId: JobId;
  /** The job's folder in the bucket, with its closing slash. */
  prefix: string;
  upload: UploadForm;
  /** The form of the depth map, where there is one. */
  depth?: UploadForm;
}

/**
 * What makes masks of the photo's embeddings.
 *
 * When engine or revision changes, better ones have come; a mask that was made before may be sent
 * all the same.
 */
export interface DecoderView {
  url: string;
  engine: string;
  revision: string;
  /** Whether better embeddings are on their way. */
  draft: boolean;
}

/** A ULID. */
export type DeliveryId = string;

/** Some deliveries, newest first, and the cursor of the next page. */
export interface DeliveryPage {
  deliveries: DeliveryView[];
  /** Null on the last page. */
  cursor: string | null;
}

/** Where a delivery stands. */
export type DeliveryState = "PENDING" | "DELIVERED" | "FAILED";

/** Something that a webhook is told, and what became of it. */
export interface DeliveryView {
  deliveryId: DeliveryId;
  /** The header `webhook-id`, the same each time. */
  eventId: string;
  type: EventType;
  jobId: JobId;
  createdAt: string;
  state: DeliveryState;
  /** The last twenty, in their order. */
  attempts: AttemptView[];
  /** When it is tried next; null where it is tried no more. */
  nextAt: string | null;
}

/** An OpenAPI document. */
export type Description = Record<string, unknown>;

/**
 * A mesh that was made at once, and stands in until there is the object's own.
 *
 * It stays where the object failed.
 */
export interface DraftView {
  /**
   * By ending: glb, draco.glb, zip, obj, stl, ply, 3mf, usdz; spz holds the gaussians where the GLB
   * has its mesh, and `preview` is a picture.
   */
  files: Record<string, FileLink>;
  picture: Link;
  mesh: MeshFigures;
}

/** In the place of a splat, of an engine that makes meshes: its GLB, as it came. */
export interface EngineMeshView {
  url: string;
  bytes: number;
  vertices: number;
  faces: number;
  timings?: Record<string, number>;
  /** Of an engine that finds it out. */
  pose?: Pose;
}

/** What an engine is told. Each takes the defaults, and beside them what it offers. */
export interface EngineOptions {
  /** Whether to save time, or to spend more of it. */
  quality?: "fast" | "standard" | "fine";
  /** Chooses among the engine's equally good answers. */
  seed?: number;
  /**
   * How many from `seed` on are made, of which the truest to the photo is kept. The engine makes
   * one at a time and is not told.
   */
  seeds?: number;
}

/** What went wrong. */
export interface ErrorView {
  /** Absent where API Gateway answers by itself. */
  error?: ErrorName;
  /** What happened and what to do, fit to be shown. */
  message: string;
  /** Seconds, as in the header Retry-After. */
  retryAfter?: number;
}

/** What is told. */
export type EventType =
  | "job.awaiting_mask"
  | "job.completed"
  | "job.failed"
  | "job.cancelled"
  | "job.expired";

/** The same of a file whose length is told. */
export interface FileLink {
  url: string;
  bytes: number;
}

/** The photo, upright. */
export interface ImageView {
  url: string;
  bytes: number;
  width: number;
  height: number;
}

/** What to look for in the photo, for engines that find things by their names. */
export interface Initialize {
  /** With the sam engine only. */
  text?: string | null;
}

/** A ULID. */
export type JobId = string;

/** Some jobs, newest first, and the cursor of the next page. */
export interface JobPage {
  jobs: JobSummary[];
  /** Null on the last page. */
  cursor: string | null;
}

/** Where a job stands. Its files have links that last an hour: ask for the job, and get them. */
export interface JobState {
  jobId: string;
  /** The person's `sub` in the user pool. */
  owner: string;
  name: string;
  status: "AWAITING_MASK" | "COMPLETED" | "FAILED" | "CANCELLED" | "EXPIRED";
  /** Which run of the job came to this: 1, and more once it was taken up again. */
  run: number;
  /** The key with which it was created; absent where a person did. */
  keyId?: string;
  createdAt: string;
  /** As long as it waits for masks there are none. */
  objects: ObjectState[];
  error?: Refusal;
}

/** A job in a list. */
export interface JobSummary {
  jobId: JobId;
  name: string;
  status: JobStatus;
  createdAt: string;
  objects: number;
  /** Of the first finished object, else of the first draft, else the photo. */
  picture: string | null;
  /** Whether the picture is of a draft. */
  draft: boolean;
}

/** A job, whole, with signed links to what exists of it. */
export interface JobView {
  jobId: JobId;
  name: string;
  filename: string;
  contentType: PhotoType;
  /** The job's folder in the bucket, with its closing slash. */
  prefix: string;
  status: JobStatus;
  createdAt: string;
  /** How often the job has begun. */
  run: number;
  /** Null where it does not wait for the model. */
  queue: QueueView | null;
  /** Read it again after so long; null where nothing more will come. */
  pollSeconds: number | null;
  /** What was looked for in the photo. */
  text: string | null;
  /** Whether a depth map belongs to the photo. */
  depth: boolean;
  stages: StagesView;
  objects: ObjectView[];
  image?: ImageView;
  /** The best there are; of a draft until those of the engine have come. */
  embeddings?: Link;
  /** The one that belongs to the embeddings. */
  decoder?: DecoderView;
  /** What may be chosen for its objects, once the engine has said it. */
  offers?: OffersView;
  /**
   * What the engine can use beside photo and masks, likewise: `depth`, or nothing. A depth map that
   * it does not take is left.
   */
  takes?: string[];
  /** Of several objects, and of one where it was asked for. */
  scene?: SceneView;
  error?: ErrorView;
}

export type KeyId = string;

/** All keys, oldest first. */
export interface KeyPage {
  keys: KeyView[];
}

/** A key for programs, without its secret. */
export interface KeyView {
  keyId: KeyId;
  name: string;
  rights: Right[];
  /** How many jobs may be created with it within a day; 0 where its owner's limit alone counts. */
  jobsPerDay: number;
  createdAt: string;
  /** To some minutes; null where it never was. */
  usedAt: string | null;
}

/** How much may be sent, and how much a person may have; null where nothing limits it. */
export interface LimitsView {
  photo: PhotoLimits;
  objectsPerJob: number;
  /** Those that wait for a mask not counted. */
  jobsAtWork: number | null;
  jobsPerDay: number | null;
  /** Each counted as often as it has seeds. */
  objectsInQueue: number | null;
}

/** Where a file is read, for an hour. */
export interface Link {
  url: string;
}

/** How many masks are about to be uploaded. */
export interface MaskUploads {
  count: number;
}

/** What the mesh step says of its work. */
export interface MeshFigures {
  vertices: number;
  faces: number;
  watertight?: boolean;
  components?: number;
  /** Of the splat that it was made of. */
  gaussians?: number;
  gaussiansKept?: number;
  /**
   * Share of the surface that the splat, or the engine's mesh, shows from outside that has the mesh
   * within 2 % of the longest side; null where it shows hardly any, absent of older meshes.
   */
  coverage?: number | null;
  /** What to know before the mesh is used, in sentences. */
  warnings?: string[];
  /**
   * Metres, upright, where it was said, or a depth map told it: then files are in metres, but those
   * for printers, in millimetres.
   */
  height?: number;
  /** Null where the engine did not see how the object stood in the photo. */
  truth?: TruthView | null;
  /** Milliseconds a step. */
  timings?: Record<string, number>;
}

/** What the mesh step is told. */
export interface MeshOptions {
  /** How fine a grid the surface is taken from, and with it faces and texture. */
  quality?: "fast" | "standard" | "fine";
  /** In the place of the quality's. */
  faces?: number | null;
  /** In the place of the quality's. */
  texture?: 512 | 1024 | 2048 | null;
  /** How high the thing is, upright, which makes metres of its files and of the scene's. */
  height?: number | null;
}

/** A key as it was made. */
export interface NewKey {
  keyId: KeyId;
  name: string;
  rights: Right[];
  /** How many jobs may be created with it within a day; 0 where its owner's limit alone counts. */
  jobsPerDay: number;
  createdAt: string;
  /** To some minutes; null where it never was. */
  usedAt: string | null;
  /** To be sent as `Authorization: Bearer …`. It is shown this once. */
  key: string;
}

/** A webhook as it was registered. */
export interface NewWebhook {
  webhookId: WebhookId;
  url: string;
  events: EventType[];
  createdAt: string;
  /** When it answered 410, and is told nothing any more; null while it is told. */
  stoppedAt: string | null;
  /** With which its messages are signed, as Standard Webhooks says. It is shown this once. */
  secret: string;
}

/**
 * An object that is to be made anew, with other options where they are given.
 *
 * Or one that is to be kept as one of several seeds has made it. What differs for the mesh step
 * alone keeps the object's splat.
 */
export interface ObjectAgain {
  /** What is left out is the default, or of an object that there is, as it was. */
  options?: Options | null;
  /**
   * The engine's, as clients say it that know no options.
   *
   * @deprecated
   */
  seed?: number | null;
  n: number;
  /**
   * Of an object of which several seeds were tried, the one by which it is kept from now on:
   * nothing of it is made. Not beside options or seed.
   */
  keep?: number | null;
}

/** One object to reconstruct. */
export interface ObjectRequest {
  /** What is left out is the default, or of an object that there is, as it was. */
  options?: Options | null;
  /**
   * The engine's, as clients say it that know no options.
   *
   * @deprecated
   */
  seed?: number | null;
  name?: string | null;
}

/** Where one object stands. */
export interface ObjectState {
  n: number;
  name: string;
  status: ObjectStatus;
  error?: Refusal;
}

/** An object of a job. */
export interface ObjectView {
  n: number;
  name: string;
  options: OptionsView;
  /**
   * As `options.engine.seed`.
   *
   * @deprecated
   */
  seed: number;
  status: ObjectStatus;
  mask: Link;
  splat?: SplatView;
  engineMesh?: EngineMeshView;
  mesh?: MeshFigures;
  /**
   * By ending: glb, draco.glb, zip, obj, stl, ply, 3mf, usdz; spz holds the gaussians where the GLB
   * has its mesh, and `preview` is a picture.
   */
  files?: Record<string, FileLink>;
  /** While there is one and no mesh. */
  draft?: DraftView;
  /** Where several seeds were tried; one of them is the object. */
  variants?: VariantView[];
  /** While the object is made, and it is known. */
  progress?: ProgressView;
  error?: ErrorView;
}

export type Offered = OfferedValues | OfferedRange;

/** A whole number may be chosen between these, which belong to it. */
export interface OfferedRange {
  minimum: number;
  maximum: number;
}

/** One of some values may be chosen. */
export interface OfferedValues {
  values: (string | number)[];
  /** About how long an object takes with each; may be empty. */
  seconds: Record<string, number>;
}

/** What may be chosen, by option. Its default, which need not be among it, always may. */
export interface OffersView {
  engine: Record<string, Offered>;
  mesh: Record<string, Offered>;
}

/** All that was chosen for an object. */
export interface Options {
  engine?: EngineOptions;
  mesh?: MeshOptions;
}

/** What an object is made with, by option. */
export interface OptionsView {
  engine: Record<string, string | number | null>;
  mesh: Record<string, string | number | null>;
}

/** Which photos are taken. */
export interface PhotoLimits {
  types: PhotoType[];
  bytes: number;
  /** Width times height. */
  pixels: number;
  /** Of the shorter side, in pixels. */
  minSide: number;
  /** Of the longer side, in pixels. */
  maxSide: number;
}

/**
 * Takes canonical object coordinates to the camera: `p_cam = scale · R p + translation`.
 *
 * The camera is PyTorch3D's (x left, y up, z forward). `rotation` is a unit quaternion, wxyz.
 */
export interface Pose {
  rotation: [number, number, number, number];
  translation: [number, number, number];
  scale: [number, number, number];
  /** Of that camera, across the photo's longer side, radians; None where nobody said it. */
  field_of_view?: number | null;
  /**
   * Whether distance and size are of one measure with those of the photo's other objects; else it
   * is known only how the object is turned, and where in the photo it falls.
   */
  shared_depth?: boolean;
  /** Whether that measure is the metre, as where a depth map told distances. */
  metric?: boolean;
}

/** How far an object is from the mask to the mesh: an estimate, and nothing depends on it. */
export interface ProgressView {
  /**
   * What goes on now: a phase of the engine, by the engine's own name, or `mesh`; or `nextSeed`,
   * while one of several waits in the queue.
   */
  phase: string;
  fraction: number;
  /** About how long it still takes; null where nobody knows. */
  restSeconds: number | null;
}

/** Where a job waits for the model. */
export interface QueueView {
  /** Requests before its first. */
  ahead: number;
}

/** The objects, in the order of their masks. */
export interface Reconstruct {
  objects: ObjectRequest[];
}

/** Why something failed. */
export interface Refusal {
  /** The error's name, as the API has it. */
  error: string;
  message: string;
}

/** A job's new name. */
export interface RenameJob {
  name: string;
}

/** What to make anew; without anything said, what failed is taken up again. */
export interface Retry {
  objects?: ObjectAgain[];
  /** Whether a scene is wanted where there is none of itself, as of a single object. */
  scene?: boolean;
}

/** What may be done with a key. */
export type Right = "read" | "create";

/** A mask as COCO writes it: runs of nothing and of the object in turn, column by column. */
export interface Rle {
  /** Height and width: those of the upright photo. */
  size: number[];
  /** The runs, or the same in the letters of COCO's compressed form. */
  counts: number[] | string;
}

/** How an object stands in the scene. */
export interface SceneObject {
  n: number;
  /** By its pose, or by its mask alone where the engine did not see its distance. */
  placed: "pose" | "mask";
  /** Upright. */
  height: number;
}

/** The objects together, as they stood in the photo; or why they are not. */
export interface SceneView {
  /** By ending: glb, spz, ply; `preview` is a picture. */
  files?: Record<string, FileLink>;
  /** Whether that is the unit, as a height was said, or a depth map told it. */
  metres?: boolean;
  objects?: SceneObject[];
  error?: ErrorView;
}

/** A share's, which is its secret, too. */
export type ShareId = string;

/** All shares that open something, newest first. */
export interface SharePage {
  shares: ShareView[];
}

/** An object that is shared. */
export interface ShareView {
  /**
   * `GET /s/{shareId}` is the link to be sent: a page with title and picture for chats, which leads
   * on to the model.
   */
  shareId: ShareId;
  jobId: JobId;
  object: number;
  /** The object's when it was shared. */
  name: string;
  createdAt: string;
  endsAt: string;
}

/** HTML: what a chat shows of a shared object; a browser goes on from it to the model. */
export type SharedPage = string;

/** What is shared: the object, and nothing else of its job. */
export interface SharedView {
  name: string;
  endsAt: string;
  /**
   * By ending: glb, draco.glb, zip, obj, stl, ply, 3mf, usdz; spz holds the gaussians where the GLB
   * has its mesh, and `preview` is a picture.
   */
  files: Record<string, FileLink>;
}

/**
 * One object to reconstruct, and what shows it in the photo.
 *
 * It is shown by clicks and a box, or by one of the others. Places are fractions of the upright
 * photo's width and height, from its top left corner.
 */
export interface ShownObject {
  /** In the order in which they are made: each corrects the mask of those before. */
  clicks?: Click[];
  box?: Box | null;
  /**
   * A thing's name, with the sam engine only, and one text a job: of several objects by it, the
   * first is what fits it best, the next what fits it second best.
   */
  text?: string | null;
  /**
   * How sure the model has to be of what the text names. It offers nothing below 0.2, and from 0.5
   * on the page calls it found; without a number all that is offered counts.
   */
  certainty?: number | null;
  /** A PNG of the upright photo's size as base64, white on the object. */
  mask?: string | null;
  /** The object's outline. */
  polygon?: number[][] | null;
  rle?: Rle | null;
  /** What stands out most in the photo. */
  subject?: string | null;
  /** What is left out is the default, or of an object that there is, as it was. */
  options?: Options | null;
  /**
   * The engine's, as clients say it that know no options.
   *
   * @deprecated
   */
  seed?: number | null;
  name?: string | null;
}

/** The gaussians, with what their step says of them. */
export interface SplatView {
  url: string;
  bytes: number;
  gaussians: number;
  timings?: Record<string, number>;
  /** Of an engine that finds it out. */
  pose?: Pose;
}

/** When a stage started and ended. */
export interface StageView {
  start: string | null;
  end: string | null;
  /** Once it has ended. */
  ms: number | null;
}

/** The stages of a run. */
export interface StagesView {
  initialize: StageView;
  mask: StageView;
  reconstruct: StageView;
}

/** How true a mesh is to the photo, drawn from there as its pose says. */
export interface TruthView {
  /** Of what mesh or mask cover, the share that both do. */
  silhouette: number;
  /** 1 less the mean difference of their colours, where both are. */
  colour: number | null;
  /** The first times the second, by which one of several seeds is kept; not of older meshes. */
  score?: number;
}

/** Where a file is uploaded, within the hour: POST the fields as a form, and then `file`. */
export interface UploadForm {
  url: string;
  fields: Record<string, string>;
}

/** Where masks go, in the order of the objects. */
export interface Uploads {
  uploads: UploadForm[];
}

/** What one of several seeds makes of an object. */
export interface VariantView {
  seed: number;
  status: ObjectStatus;
  /** Whether it is the object. */
  kept: boolean;
  picture?: Link;
  mesh?: MeshFigures;
  error?: ErrorView;
}

/** A ULID. */
export type WebhookId = string;

/** What is posted to a webhook. */
export interface WebhookMessage {
  type: EventType;
  /** When it came to be; attempts at telling it have times of their own. */
  timestamp: string;
  data: JobState;
}

/** All webhooks, oldest first. */
export interface WebhookPage {
  webhooks: WebhookView[];
}

/** An address that is told of jobs, without its secret. */
export interface WebhookView {
  webhookId: WebhookId;
  url: string;
  events: EventType[];
  createdAt: string;
  /** When it answered 410, and is told nothing any more; null while it is told. */
  stoppedAt: string | null;
}
