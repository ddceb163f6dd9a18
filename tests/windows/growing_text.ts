/** What a program prints, while it runs. */

/** The text of a stream, to be waited for. */
export interface GrowingText {
  /** Resolves at the end of the stream. */
  readonly end: Promise<void>;
  /** What has come so far. */
  text(): string;
  /** Resolves as soon as the text contains `wanted`; rejects if the stream ends without. */
  contains(wanted: string): Promise<void>;
}

/** Reads a stream of UTF-8 to its end. */
export function growingText(stream: ReadableStream<BufferSource>): GrowingText {
  let text = "";
  let ended = false;
  let changed = Promise.withResolvers<void>();
  const end = (async () => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      text += piece;
      changed.resolve();
      changed = Promise.withResolvers();
    }
    ended = true;
    changed.resolve();
  })();
  const contains = async (wanted: string) => {
    while (!text.includes(wanted)) {
      if (ended) throw new Error(`The stream ended without "${wanted}"`);
      await changed.promise;
    }
  };
  return { end, contains, text: () => text };
}
