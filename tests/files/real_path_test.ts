/** Real paths on Windows, where Deno resolves the letter of a network drive, too. */
import { assertEquals } from "@std/assert";
import { isNetworkPath } from "../../src/base/file_names.ts";
import { realPath } from "../../src/files/durable_files.ts";
import type { FileSystem } from "../../src/system/file_system.ts";

/** A file system on which `real` is the real path of everything, and `links` are links. */
function fileSystem(real: string, links: readonly string[] = []): FileSystem {
  return {
    realPathSync: () => real,
    lstatSync: (path: string) => ({ isSymlink: links.includes(path) }),
  } as unknown as FileSystem;
}

Deno.test("A mapped drive keeps its letter; what a link leads to does not", () => {
  const share = "/server/share/tool".replaceAll("/", "\\").replace("\\", "\\\\");
  assertEquals(realPath(fileSystem(share), "/z/tool"), "/z/tool");
  assertEquals(realPath(fileSystem(share, ["/z"]), "/z/tool"), share);
  assertEquals(realPath(fileSystem("C:\\Tool"), "/c/tool"), "C:\\Tool");
});

Deno.test("Network paths in all their forms, and nothing else", () => {
  for (
    const path of [
      "\\\\server\\share",
      "//server/share/x",
      "\\\\?\\UNC\\server\\share",
      "\\\\.\\unc\\server\\share",
    ]
  ) assertEquals(isNetworkPath(path), true, path);
  for (const path of ["C:\\x", "\\\\?\\C:\\x", "\\\\.\\pipe\\x", "/opt", "x", "\\x", ""]) {
    assertEquals(isNetworkPath(path), false, path);
  }
});
