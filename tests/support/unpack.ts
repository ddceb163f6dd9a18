/** Runs `extractMember` on bytes, in a folder of its own that must hold nothing else afterwards. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { extractMember } from "../../src/archive/archive.ts";
import type { ArchiveKind } from "../../src/archive/kinds.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { UpdateError } from "../../src/base/errors.ts";

/** What is to be unpacked, and within which bounds. */
export interface Unpack {
  readonly kind: ArchiveKind;
  readonly archive: Uint8Array;
  /** Default "tool". */
  readonly member?: string;
  /** Default 1 MiB. */
  readonly limit?: number;
  readonly total?: number;
}

/** The member's content, as text. */
export async function unpack(job: Unpack): Promise<string> {
  return new TextDecoder().decode(await unpackBytes(job));
}

/** The member's content. */
export async function unpackBytes(job: Unpack): Promise<Uint8Array> {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  const [archive, output] = [join(folder, "archive"), join(folder, "output")];
  try {
    Deno.writeFileSync(archive, job.archive);
    using out = Deno.openSync(output, { write: true, createNew: true });
    const { fs } = denoSystem;
    const options = { fs, limit: job.limit ?? 1024 * 1024, total: job.total ?? 16 * 1024 * 1024 };
    const size = await extractMember(archive, job.kind, job.member ?? "tool", out, options);
    const content = Deno.readFileSync(output);
    assertEquals(size, content.length);
    return content;
  } finally {
    // No name in the archive became a file, whatever happened.
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "archive",
      "output",
    ]);
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The sentence after "Cannot unpack …:"; anything but a refusal fails. */
export async function refusal(job: Unpack): Promise<string> {
  const error: UpdateError = await assertRejects(() => unpack(job), UpdateError);
  assertEquals(error.kind, "verification");
  const head = `Cannot unpack "${job.member ?? "tool"}" from the downloaded .${job.kind} file: `;
  assertEquals(error.message.slice(0, head.length), head);
  return error.message.slice(head.length);
}

/** One test for each refused archive: its name says what is refused, its message says so, too. */
export function testRefusals(
  kind: ArchiveKind,
  cases: Record<string, readonly [message: string, archive: Uint8Array, job?: Partial<Unpack>]>,
): void {
  for (const [name, [message, archive, job]] of Object.entries(cases)) {
    Deno.test(`.${kind}: ${name} is refused`, async () => {
      assertEquals(await refusal({ kind, archive, ...job }), message);
    });
  }
}

/** One test for each archive that is unusual and right: the member "tool" says "new". */
export function testAccepted(
  kind: ArchiveKind,
  cases: Record<string, readonly [archive: Uint8Array, job?: Partial<Unpack>]>,
): void {
  for (const [name, [archive, job]] of Object.entries(cases)) {
    Deno.test(`.${kind}: ${name} is accepted`, async () => {
      assertEquals(await unpack({ kind, archive, ...job }), "new");
    });
  }
}
