/**
 * Parts of one file over several connections at once. On a line that loses packets a connection has
 * only so many of them under way, however wide the line is (RFC 5681): with one in a hundred lost, and
 * 50 ms there and back, four bring nearly three times as much (FIGURES.md). Where the line itself is narrow,
 * they bring no less.
 */
import { HttpError, request } from "./request.ts";
import { readBody } from "./response_body.ts";
import { PassingError, type Transfer } from "./retry.ts";

/** More would be rude: they are what a browser opens to one server. */
const CONNECTIONS = 4;
/** A part for each, and four for what comes out of order: all that is in memory. */
const BUFFERS = 8;
/** On a narrow line, too, one comes every few seconds: progress is told by what is on the disk. */
const PART = 512 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;

/** The server does not give such a part, or not now: one connection is asked for the rest. */
export class NoPartsError extends PassingError {}

/** What is left of a file, and the strong validator of the version that its beginning is of. */
export interface Rest {
  readonly url: string;
  /** Of the whole file. */
  readonly size: number;
  readonly from: number;
  readonly validator: string;
}

/**
 * Hands the rest of a file on in its order, in parts that are valid until `take` returns. Throws
 * `NoPartsError`, `PassingError`, or what `take` throws; what was handed on before is good.
 */
export async function readInParts(
  rest: Rest,
  transfer: Transfer,
  take: (part: Uint8Array) => void,
): Promise<void> {
  const { size } = rest;
  const failed = new AbortController();
  const signal = AbortSignal.any([transfer.signal, failed.signal]);
  const free = Array.from({ length: BUFFERS }, () => new Uint8Array(PART));
  const waiting: ((buffer: Bytes | undefined) => void)[] = [];
  const early = new Map<number, Bytes>();
  let next = rest.from, taken = rest.from;

  function arrived(start: number, part: Bytes): void {
    early.set(start, part);
    for (let turn = early.get(taken); turn; turn = early.get(taken)) {
      take(turn);
      early.delete(taken);
      taken += turn.length;
      const buffer = new Uint8Array(turn.buffer);
      const waiter = waiting.shift();
      if (waiter) waiter(buffer);
      else free.push(buffer);
    }
  }

  async function work(): Promise<void> {
    using connection = transfer.system.connection();
    const own: Transfer = { ...transfer, signal, fetch: connection.fetch };
    // Who comes too late to hear that another one has failed must not wait for what it had.
    while (next < size && !signal.aborted) {
      const buffer = free.pop() ??
        await new Promise<Bytes | undefined>((resolve) => waiting.push(resolve));
      // Somebody else has failed, or what is left is under way.
      if (!buffer || next >= size) break;
      const start = next, part = buffer.subarray(0, Math.min(PART, size - start));
      next += part.length;
      await fetchPart(rest, start, part, own);
      arrived(start, part);
    }
  }

  /** Whoever ends knows that there is nothing more to wait for: all is under way, or one has failed. */
  function wakeAll(): void {
    for (const waiter of waiting.splice(0)) waiter(undefined);
  }

  const works = Array.from(
    { length: CONNECTIONS },
    () => work().catch((error) => failed.abort(error)).finally(wakeAll),
  );
  await Promise.all(works);
  transfer.signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function fetchPart(
  { url, size, validator }: Rest,
  start: number,
  part: Uint8Array,
  transfer: Transfer,
): Promise<void> {
  const range = `${start}-${start + part.length - 1}`;
  const headers = { range: `bytes=${range}`, "if-range": validator };
  const response = await request(url, headers, transfer).catch((error) => {
    const { cause } = error as Error;
    if (!(cause instanceof HttpError)) throw error;
    // What is too much of four connections need not be of one.
    const afterMs = Math.min(error.afterMs ?? 0, transfer.limits.maxPauseMs);
    throw new NoPartsError(`HTTP ${cause.status} to a part of the file`, afterMs, { cause });
  });
  if (
    response.status !== 206 || response.headers.get("content-range") !== `bytes ${range}/${size}` ||
    (response.headers.get("etag") ?? validator) !== validator
  ) {
    await response.body?.cancel();
    throw new NoPartsError(`HTTP ${response.status} to a part of the file`);
  }
  let at = 0;
  await readBody(response, transfer, (bytes) => {
    if (bytes.length > part.length - at) throw new NoPartsError("a part is too long");
    part.set(bytes, at);
    at += bytes.length;
  });
  if (at < part.length) throw new PassingError(`a part was cut off after ${at} bytes`);
}
