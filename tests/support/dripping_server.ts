/** A server that drips a file, and gives parts of it at once. */
import type { Answer, Answering, HostileServer } from "./hostile_server.ts";

export const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How it departs from a good one. */
export interface Server {
  readonly headers?: Readonly<Record<string, string>>;
  readonly step?: number;
  /** Instead of the right answer to a part: true if it has answered. */
  readonly part?: (to: Answering, start: number, end: number) => Promise<boolean | void>;
}

/**
 * Drips what is asked for as a whole (`step` bytes every 20 ms), and gives parts at once. `most` is how
 * many of these were ever under way together.
 */
export function dripping(content: Uint8Array, { headers = {}, part, step = 200_000 }: Server = {}) {
  let open = 0;
  const seen = { most: 0 };
  const answer: Answer = async (to) => {
    const [, first = "0", last] = /^bytes=(\d+)-(\d*)$/.exec(to.headers.get("range") ?? "") ?? [];
    const start = Number(first);
    const all = { etag: '"one"', "accept-ranges": "bytes", ...headers };
    if (last) {
      seen.most = Math.max(seen.most, ++open);
      try {
        const end = Number(last);
        if (await part?.(to, start, end)) return;
        const range = `bytes ${start}-${end}/${content.length}`;
        await to.reply(206, { ...all, "content-range": range }, content.subarray(start, end + 1));
      } finally {
        open--;
      }
      return;
    }
    const rest = content.subarray(start);
    const range = start > 0 &&
      { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
    const lines = Object.entries({ ...all, ...range, "content-length": rest.length });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await to.write(`HTTP/1.1 ${start > 0 ? 206 : 200} OK\r\nconnection: close\r\n${head}\r\n`);
    for (let at = 0; at < rest.length; at += step) {
      await to.write(rest.subarray(at, at + step));
      await delay(20);
    }
  };
  return { answer, seen };
}

/** The requests for parts. */
export const partsOf = ({ asked }: HostileServer) =>
  asked.filter(({ headers }) => /\d-\d/.test(headers.get("range") ?? ""));
