import { english } from "../texts";

/** The first page. */
export const home = english("home", {
  click: "Click an object.",
  get: "Get its mesh.",
  lead: "Gen3D turns an object in a photo into a textured 3D model that you can turn, download and print.",
  steps: {
    photo: {
      title: "Add a photo",
      about:
        "Any photo of a thing: a cup, a chair, a cat. JPEG, HEIC, PNG, WebP or AVIF, up to 20\u00a0MB.",
    },
    click: {
      title: "Click the object",
      about: "The mask answers every click at once. Up to eight objects in a photo.",
    },
    mesh: {
      title: "Get the mesh",
      about: "GLB, USDZ, OBJ, STL, 3MF and the splat. A mail comes when it is ready.",
    },
  },
  oneStep: "One step before",
  signIn: (photo: string) =>
    `Sign in, so that “${photo}” and its model are yours alone. The photo is kept.`,
  signInOrUp: (photo: string) =>
    `Sign in or create an account, so that “${photo}” and its model are yours alone. The photo is kept.`,
  another: "Choose another photo",
  creating: "Creating the job",
  waiting: "your new job",
  examples: "the examples",
  api: "The API, for programs",
  addDepth: "Add a depth map first",
  depth:
    "A grey PNG of 16 bits, in millimetres, as apps for phones with LiDAR save it beside the photo. What is made is then in metres.",
  whatIsIt: "What is it? (optional)",
  chair: "chair",
});
