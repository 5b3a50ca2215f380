import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The Content-Security-Policy names files; nothing may hide in a data: address.
    assetsInlineLimit: 0,
    // The viewer and the wasm runtime are larger on purpose, and load only where they are needed.
    chunkSizeWarningLimit: 3500,
    // What every visit loads is one file: in many, shared with later pages, it compresses worse.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // Names of failures that the sign-in form alone tells apart; the first file would have
            // them because it imports their module, though nothing of it.
            { name: "sign-in-failures", test: /cognito.types.errors\.mjs$/, priority: 1 },
            { name: "first", tags: ["$initial"] },
          ],
        },
      },
    },
  },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.{ts,tsx}"] },
});
