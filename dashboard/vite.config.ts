import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { packed } from "./packed";

// Where `./dev dash` finds a running server; the built page asks the server that it came from.
const api = process.env["VITE_API_BASE"] ?? "http://localhost:8000";
const proxy = { target: api, changeOrigin: true, ws: true, headers: { Origin: new URL(api).origin } };

export default defineConfig({
  base: "./", // the server says in <base> where it stands, so one build serves any sub-path
  plugins: [react(), tailwindcss(), packed()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    proxy: Object.fromEntries(["/api", "/auth", "/docs", "/openapi.json"].map((path) => [path, proxy])),
  },
  build: { target: "es2024", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    isolate: false, // one browser for all files: making one takes longer than the tests of a file
    restoreMocks: true,
    unstubGlobals: true,
  },
});
