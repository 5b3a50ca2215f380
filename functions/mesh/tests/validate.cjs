// Prints the Khronos validator's report on the GLB named in the arguments.
const { readFileSync } = require("node:fs");
const { validateBytes } = require("gltf-validator");

validateBytes(new Uint8Array(readFileSync(process.argv[2]))).then((report) =>
  console.log(JSON.stringify(report)),
);
