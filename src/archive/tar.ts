/** tar archives. `modern-tar` reads them; `TarHeaders` watches that there is one way to. */
import type { ParsedTarEntry } from "modern-tar";
import { ArchiveError, type EntryVisitor, type Sink } from "./policy.ts";
import { type RawEntry, TarHeaders } from "./tar_headers.ts";

/**
 * Hands over the one member that `policy` admits, and reads on to the end to be sure that there is
 * no other. Strict mode of the library: checksums, two blocks of zeros at the end, only zeros after
 * them.
 */
export async function extractTarMember(
  chunks: AsyncIterable<Uint8Array>,
  policy: EntryVisitor,
  sink: Sink,
): Promise<void> {
  // Loaded when it is needed: it makes an Error as it is loaded, and the first one of a large file
  // costs every start 10 ms (V8 then compiles the file once more, to know its lines).
  const { createTarDecoder } = await import("modern-tar");
  const headers = new TarHeaders();
  const entries = ReadableStream.from(watch(chunks, headers))
    .pipeThrough(createTarDecoder({ strict: true }));
  for await (const entry of entries) {
    const raw = headers.next();
    if (!raw || !agree(entry, raw)) {
      throw new ArchiveError(`two readers disagree about ${JSON.stringify(entry.header.name)}`);
    }
    if (!policy.admit(raw)) {
      // Not `cancel`: then a large entry behind this one never comes (modern-tar 0.8.6).
      for await (const _ of entry.body);
      continue;
    }
    for await (const bytes of entry.body) sink(bytes);
  }
}

/** The headers are always seen here before the library sees them. */
async function* watch(chunks: AsyncIterable<Uint8Array>, headers: TarHeaders) {
  for await (const bytes of chunks) {
    headers.push(bytes);
    yield bytes;
  }
}

function agree({ header }: ParsedTarEntry, raw: RawEntry): boolean {
  return header.name === raw.name && header.size === raw.size && header.type === raw.libraryType;
}
