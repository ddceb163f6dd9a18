/** The files of a folder, and small documents in it. */
import { join } from "@std/path";
import { UpdateError } from "../base/errors.ts";
import { lookAt, readIfThere } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { FileSystem } from "../system/file_system.ts";

/** `a/b/c/file`: as deep as `actions/download-artifact` and build folders go. */
const DEPTH = 3;
const MAX_FILES = 2000;
const DOCUMENT_LIMIT = 16 * 1024 * 1024;

/**
 * Names relative to the folder, with `/`, sorted; hidden folders are left out, and hidden files
 * unless they are asked for. Throws `filesystem`.
 */
export function listFiles(
  fs: FileSystem,
  folder: string,
  { hidden = false } = {},
): readonly string[] {
  const names: string[] = [];
  const visit = (path: string, prefix: string, depth: number) => {
    for (const { name } of onFile("read", path, () => [...fs.readDirSync(path)])) {
      const info = lookAt(fs, join(path, name));
      if (name.startsWith(".") && !(hidden && info?.isFile)) continue;
      if (info?.isDirectory && depth < DEPTH) {
        visit(join(path, name), `${prefix}${name}/`, depth + 1);
      } else if (info?.isFile) names.push(prefix + name);
      if (names.length > MAX_FILES) throw tooMany(folder);
    }
  };
  visit(folder, "", 0);
  // By code units: the order must not depend on the machine's language.
  return names.sort((a, b) => a < b ? -1 : 1);
}

function tooMany(folder: string): UpdateError {
  return new UpdateError("usage", `"${folder}" has more than ${MAX_FILES} files`, {
    path: folder,
    hint: "Give the folder that holds the files of the release and nothing else.",
  });
}

/** A document's text, or undefined where there is none. Throws `filesystem`, `usage`. */
export function readText(fs: FileSystem, path: string): string | undefined {
  try {
    const bytes = onFile("read", path, () => readIfThere(fs, path, DOCUMENT_LIMIT));
    return bytes && new TextDecoder().decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw new UpdateError("usage", `"${path}" is too large`);
    throw error;
  }
}

/** The same as JSON. */
export function readJson(fs: FileSystem, path: string): unknown {
  const text = readText(fs, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UpdateError("usage", `"${path}" is not JSON`, {
      path,
      hint: "The build writes it: let it run to its end, then pack.",
      cause,
    });
  }
}
