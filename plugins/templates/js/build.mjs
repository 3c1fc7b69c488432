// TypeScript becomes one module, and the module a component with QuickJS inside.
//
// componentize-qjs starts the module once while it builds, with a host of its own that knows wasi:io but not wasi:http, and cannot
// bring the two together. So both are called wbsi: until the component is made: a name of the same length, which is put right
// afterwards.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { componentize } from "componentize-qjs";
import { build } from "esbuild";

const rename = (text) => text.replaceAll(/\bwasi:(?=io|http|config)/g, "wbsi:");

rmSync("build", { recursive: true, force: true });
mkdirSync("build");
cpSync("wit", "build/wit", { recursive: true });
for (const entry of readdirSync("build/wit", { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    writeFileSync(file, rename(readFileSync(file, "utf8")));
  }
}

const bundle = await build({
  entryPoints: ["src/plugin.ts"],
  bundle: true,
  format: "esm",
  target: "es2022",
  external: ["wasi:*"],
  write: false,
});

const { component } = await componentize({
  witPath: "build/wit",
  world: "plugin",
  jsSource: rename(bundle.outputFiles[0].text),
  sync: true,
});

const bytes = Buffer.from(component);
for (let at = bytes.indexOf("wbsi:"); at >= 0; at = bytes.indexOf("wbsi:", at)) {
  bytes.write("wasi:", at);
}
writeFileSync("build/plugin.wasm", bytes);
