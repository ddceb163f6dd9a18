/** The body of a response, part by part, while it comes fast enough. */
import { networkReason } from "./request.ts";
import { PassingError, type Transfer } from "./retry.ts";
import type { Clock } from "../system/steps.ts";

/** As fast as any larger one (measured on 117 MB), and progress stays fine. */
const BUFFER = 512 * 1024;

/**
 * Hands the body on as it comes; a part is only valid until `take` returns. Throws `PassingError`
 * when it stalls, drips or breaks off; what `take` throws ends the transfer.
 *
 * Reads of our own into one buffer are as fast as the runtime's `pipeTo(file.writable)`, which can
 * be given no bound: a body without Content-Length would fill the disk.
 */
export async function readBody(
  { body }: Response,
  { limits, system: { clock }, signal }: Transfer,
  take: (part: Uint8Array) => void,
): Promise<void> {
  if (!body) return;
  const reader = body.getReader({ mode: "byob" });
  const stop = () => void reader.cancel().catch(() => {});
  const pace = new Pace(clock, limits.idleMs);
  const watch = setInterval(() => pace.stalled && stop(), limits.idleMs / 10);
  try {
    for (let buffer = new Uint8Array(BUFFER);;) {
      const { value, done } = await reader.read(buffer).catch((error) => {
        signal.throwIfAborted();
        throw new PassingError(networkReason(error), 0, { cause: error });
      });
      signal.throwIfAborted();
      if (pace.stalled) throw new PassingError(`no byte for ${limits.idleMs / 1000} s`);
      if (done) return;
      take(value);
      pace.count(value.length);
      const { minBytesPerSecond, rateWindowMs } = limits;
      if (pace.rate(rateWindowMs) < minBytesPerSecond) {
        throw new PassingError(`slower than ${minBytesPerSecond} bytes a second`);
      }
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    clearInterval(watch);
    // After an error the server need not send the rest; after the end this does nothing.
    stop();
  }
}

/** How a body comes: when the last byte was, and how many in a stretch of time. */
class Pace {
  readonly #clock: Clock;
  readonly #idleMs: number;
  #last: number;
  #windowStart: number;
  #windowBytes = 0;

  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#last = this.#windowStart = clock.monotonic();
  }

  get stalled(): boolean {
    return this.#clock.monotonic() - this.#last >= this.#idleMs;
  }

  count(bytes: number): void {
    this.#last = this.#clock.monotonic();
    this.#windowBytes += bytes;
  }

  /** Bytes a second of the window that ends now; infinite while it is not over. */
  rate(windowMs: number): number {
    const elapsed = this.#last - this.#windowStart;
    if (elapsed < windowMs) return Infinity;
    const rate = this.#windowBytes / elapsed * 1000;
    this.#windowStart = this.#last;
    this.#windowBytes = 0;
    return rate;
  }
}
