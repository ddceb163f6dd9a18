/** Everything that is wrong with a release, told at once: a build server should fail only once. */
import { UpdateError } from "../base/errors.ts";

/** Collects what is refused. */
export class Refusals {
  readonly #errors: UpdateError[] = [];

  /** `kind` decides the exit code: the first one counts. */
  add(kind: "usage" | "verification", message: string, hint: string): void {
    // One cause often meets several platforms.
    if (this.#errors.some((error) => error.message === message)) return;
    this.#errors.push(new UpdateError(kind, message, { hint }));
  }

  /** Runs a step; what it refuses is kept, and undefined returned. */
  async attempt<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof UpdateError)) throw error;
      this.#errors.push(error);
      return undefined;
    }
  }

  /** Whether one of them names the file. */
  isAbout(name: string): boolean {
    return this.#errors.some(({ message }) => message.includes(`"${name}"`));
  }

  /** Throws if anything was refused. */
  throwIfAny(): void {
    const [first] = this.#errors;
    if (this.#errors.length === 1) throw first;
    if (first) throw new RefusedRelease(this.#errors);
  }
}

/** Several refusals; the exit code is the first one's. */
export class RefusedRelease extends Error {
  constructor(readonly errors: readonly UpdateError[]) {
    super(errors.map(({ message }) => message).join("; "));
    this.name = "RefusedRelease";
  }
}
