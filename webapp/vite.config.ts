import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), mendLocalStorage()],
  build: {
    target: "es2023",
    // The Content-Security-Policy names files; nothing may hide in a data: address.
    assetsInlineLimit: 0,
    // The viewer and the wasm runtime are larger on purpose, and load only where they are needed.
    chunkSizeWarningLimit: 3500,
  },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.{ts,tsx}"] },
});

/**
 * Amplify Storage 6.22.1 knows http://localhost:20005 as S3 for testing, takes it, and then refuses
 * it by the rule for all other addresses: an `else` is missing. Without that address, as on AWS,
 * the code does not run. A version that reads differently stops the build, so that this goes away.
 */
function mendLocalStorage(): Plugin {
  const taken = /(new AmplifyUrl\(customEndpoint\);\s*\})(\s*assertValidationError\([^;]+;[^;]+;)/;
  return {
    name: "mend-local-storage",
    apply: "build",
    transform(code, id) {
      if (!id.endsWith("/s3/utils/client/s3data/base.mjs")) return null;
      if (!taken.test(code))
        this.error("Amplify Storage has changed: see whether it still needs this.");
      return { code: code.replace(taken, "$1 else {$2 }"), map: null };
    },
  };
}
