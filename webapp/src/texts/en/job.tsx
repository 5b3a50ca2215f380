import { english, type Wrap } from "../texts";
import { plural } from "./plural";

/** A job's page, at each of its steps. */
export const job = english("job", {
  job: "Job",
  waiting: "this job",
  loading: "Loading the job",
  none: "No such job",
  unavailable: "The job cannot be shown",
  toGallery: "Go to the gallery",
  result: "the result",
  selectionTool: "the selection tool",
  steps: "Steps of the job",
  step: {
    photo: "Photo",
    prepare: "Prepare",
    select: "Select",
    reconstruct: "Reconstruct",
    view: "View",
  },
  rename: "Rename the job",
  name: "Name of the job",
  saveName: "Save the name",
  cancel: "Cancel the job",
  askCancel: "Cancel this job?",
  cancelled:
    "What is being made is stopped. The photo and what exists by now are kept: the job can be tried again, or deleted in the gallery.",
  uploading: "Uploading the photo",
  checking: "Checking the photo",
  upload: "Upload",
  waitingUpload: "the upload of your photo",
  yours: "Yours",
  another: "Choose another photo",
  missing: "The photo is missing",
  aboutMissing: (file: string) =>
    `“${file}” was never uploaded, and this browser does not have it. Choose it again.`,
  preparing: "Preparing the photo",
  preparingBar: "Preparing",
  looking: "The model is looking at the photo once. After that, every click is answered at once.",
  waking:
    "The model is most likely waking up: its machine is switched off while nobody uses it, and starting one takes 5 to 10 minutes.",
  behind: "The model takes what was asked for before; yours comes in its turn.",
  long: "This takes longer than waking up does. The job goes on trying by itself, and you will get a mail if it fails.",
  elapsed: (time: string) => `It has been ${time}.`,
  keepOpen:
    "Keep this page open, or come back to it in this browser: your masks lie here, and are sent from here when the photo is prepared.",
  leaveToSelect: (link: Wrap) => (
    <>
      You can leave this page. The job waits in your {link("gallery")} for you to select the object.
      If that takes longer than a minute, a mail calls you back.
    </>
  ),
  before: (requests: number) =>
    requests === 0
      ? "No request is before yours."
      : plural(requests, {
          one: "# request is before yours.",
          other: "# requests are before yours.",
        }),
  sending: (masks: number) => plural(masks, { one: "Sending the mask", other: "Sending # masks" }),
  masks: "Masks",
  waitingMasks: "sending your masks",
  backToSelection: "Back to the selection",
  reconstructing: (objects: number) =>
    plural(objects, { one: "Reconstructing the object", other: "Reconstructing the objects" }),
  object: {
    PENDING: "Step 1 of 2: from the photo to a shape",
    MESHING: "Step 2 of 2: from the shape to a mesh",
    COMPLETED: "Finished",
    FAILED: "Failed",
  },
  /** What an engine calls what it does, where there are other words for it. */
  phases: {} as { readonly [phase: string]: string | undefined },
  leave: (link: Wrap) => (
    <>
      You can leave this page. The job goes on in your {link("gallery")}, and a mail comes when it
      is finished.
    </>
  ),
  toldAdmin: (error: string) => `The administrator was told (${error}).`,
  toldAdminAll: "The administrator was told.",
  startAnewPerhaps: "Start anew, perhaps with another photo.",
  kept: "The photo is kept: try again, and it goes on where it stopped, or start anew with another photo.",
  keptCancelled:
    "The photo is kept: try again, and it goes on where it stopped, or delete it in the gallery.",
  masksKept:
    "The photo and the masks are kept: try again, and it goes on where it stopped, or start anew with another photo.",
  masksKeptCancelled:
    "The photo and the masks are kept: try again, and it goes on where it stopped, or delete it in the gallery.",
  draftBelow: "What you see below is a draft.",
});
