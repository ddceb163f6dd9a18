/** Servers on loopback that say exactly what a test wants, byte by byte, in breach of HTTP if need be. */

/** What a client asked for. */
export interface Asked {
  /** With its query. */
  readonly path: string;
  readonly headers: Headers;
}

/** One answer. When it returns, the connection is closed. */
export type Answer = (to: Answering) => Promise<void>;

/** What an answer is given with. */
export interface Answering extends Asked {
  /** How many requests there were before this one. */
  readonly index: number;
  /** Throws once the client has gone. */
  write(part: string | Uint8Array): Promise<void>;
  /** Status line, headers and body; `Content-Length` unless the headers have it (null: none). */
  reply(
    status: number,
    headers?: Readonly<Record<string, string | null>>,
    body?: string | Uint8Array,
  ): Promise<void>;
  /** Waits until the client closes the connection. */
  untilClosed(): Promise<void>;
}

/** Ends with its scope, connections and all. */
export interface HostileServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The requests up to now. */
  readonly asked: readonly Asked[];
}

const encoder = new TextEncoder();

/** Starts a server that answers every request so. */
export function hostileServer(answer: Answer): HostileServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: Asked[] = [];
  const open = new Set<Deno.Conn>();
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      serving.push(serveOne(connection, answer, asked).finally(() => open.delete(connection)));
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      open.forEach(close);
      await Promise.all([accepting, ...serving]);
    },
  };
}

async function serveOne(connection: Deno.Conn, answer: Answer, asked: Asked[]): Promise<void> {
  const write = async (part: string | Uint8Array) => {
    let rest = typeof part === "string" ? encoder.encode(part) : part;
    while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
  };
  try {
    const request = await readRequest(connection);
    if (!request) return;
    asked.push(request);
    await answer({
      ...request,
      index: asked.length - 1,
      write,
      async reply(status, headers = {}, body = "") {
        const length = typeof body === "string" ? encoder.encode(body).length : body.length;
        const all = { "content-length": String(length), connection: "close", ...headers };
        const lines = Object.entries(all).filter(([, value]) => value !== null)
          .map(([name, value]) => `${name}: ${value}\r\n`).join("");
        await write(`HTTP/1.1 ${status} Whatever\r\n${lines}\r\n`);
        await write(body);
      },
      async untilClosed() {
        while (await connection.read(new Uint8Array(1024)) !== null);
      },
    });
  } catch (error) {
    // The client may go whenever it likes; a fault of the test itself must be seen.
    if (!isGone(error)) throw error;
  } finally {
    close(connection);
  }
}

async function readRequest(connection: Deno.Conn): Promise<Asked | undefined> {
  let text = "";
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(16 * 1024);
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) return undefined;
    text += decoder.decode(buffer.subarray(0, count));
  }
  const [first, ...lines] = text.split("\r\n\r\n")[0]!.split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => [
      line.slice(0, line.indexOf(":")),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  return { path: first!.split(" ")[1]!, headers };
}

function isGone(error: unknown): boolean {
  return [
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.ConnectionAborted,
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
  ].some((kind) => error instanceof kind);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

/** How the server of `fileAnswer` departs from a good one. */
export interface FileFaults {
  /** Validator headers; default: a strong entity tag. */
  readonly validators?: Readonly<Record<string, string>>;
  /** Ends the body after so many bytes, by the index of the request. */
  readonly cut?: (index: number) => number;
  /** Whether it knows ranges. Default: true. */
  readonly ranges?: boolean;
}

/** A server that can do ranges (RFC 9110, 14) and may cut off its bodies. */
export function fileAnswer(content: Uint8Array, faults: FileFaults = {}): Answer {
  const validators = faults.validators ?? { etag: '"one"' };
  return async ({ headers, index, reply }) => {
    const range = /^bytes=(\d+)-$/.exec(headers.get("range") ?? "");
    const condition = headers.get("if-range");
    const same = condition === null || Object.values(validators).includes(condition);
    const start = range && same && faults.ranges !== false ? Number(range[1]) : 0;
    const rest = content.subarray(start);
    const body = rest.subarray(0, faults.cut?.(index) ?? rest.length);
    await reply(start > 0 ? 206 : 200, {
      ...validators,
      "content-length": String(rest.length),
      ...(start > 0 && {
        "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
      }),
    }, body);
  };
}
