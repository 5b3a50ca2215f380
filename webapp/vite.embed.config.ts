import { defineConfig } from "vite";
import app from "./vite.config.ts";

/**
 * The page that others frame, built by itself into the same folder: what it shares with the app
 * would else be cut out of the one file that every visit of the app loads.
 */
export default defineConfig({
  publicDir: false,
  build: {
    ...app.build,
    emptyOutDir: false,
    rolldownOptions: {
      input: "embed.html",
      output: { codeSplitting: { groups: [{ name: "embed", tags: ["$initial"] }] } },
    },
  },
});
