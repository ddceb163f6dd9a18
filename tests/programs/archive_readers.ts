/** Other programs' readers of archives, asked for the content of one member. */
import { createHash } from "node:crypto";
import { join } from "@std/path";

/** A reader: SHA-256 of the member, or undefined where it refuses the archive or has no such member. */
export interface Reader {
  readonly name: string;
  read(archive: string, member: string): Promise<string | undefined>;
}

/** A process that answers one line for each that it gets. */
class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async ask(...words: string[]): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${words.join("\t")}\n`));
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`no answer to ${words.join(" ")}`);
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#child.status;
  }
}

const PYTHON = `
import sys, hashlib, tarfile, zipfile, lzma, gzip
def content(kind, path, member):
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    if kind in ("xz", "gz"):
        with (lzma if kind == "xz" else gzip).open(path) as file:
            return file.read()
    with tarfile.open(path, "r:") as archive:
        file = archive.extractfile(archive.getmember(member))
        return file.read()
for line in sys.stdin:
    try:
        answer = hashlib.sha256(content(*line.rstrip("\\n").split("\\t"))).hexdigest()
    except BaseException:
        answer = "-"
    print(answer, flush=True)
`;

const GO = `package main

import ("archive/tar"; "archive/zip"; "bufio"; "crypto/sha256"; "fmt"; "io"; "os"; "strings")

func content(kind, path, member string) (found []byte, err error) {
	defer func() { if r := recover(); r != nil { err = io.ErrUnexpectedEOF } }()
	err = os.ErrNotExist
	if kind == "zip" {
		archive, e := zip.OpenReader(path)
		if e != nil { return nil, e }
		defer archive.Close()
		for _, entry := range archive.File {
			if entry.Name != member { continue }
			file, e := entry.Open()
			if e != nil { return nil, e }
			if found, e = io.ReadAll(file); e != nil { return nil, e }
			err = nil
		}
		return
	}
	file, e := os.Open(path)
	if e != nil { return nil, e }
	defer file.Close()
	for archive := tar.NewReader(file); ; {
		header, e := archive.Next()
		if e == io.EOF { return }
		if e != nil { return nil, e }
		if header.Name != member || header.Typeflag != tar.TypeReg { continue }
		if found, e = io.ReadAll(archive); e != nil { return nil, e }
		err = nil
	}
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Split(lines.Text(), "\\t")
		if bytes, err := content(words[0], words[1], words[2]); err != nil {
			fmt.Println("-")
		} else {
			fmt.Printf("%x\\n", sha256.Sum256(bytes))
		}
	}
}
`;

/** What can be read, and by whom. */
export type ReaderKind = "tar" | "zip" | "xz" | "zst" | "gz";

/** All readers, until the scope ends. Throws where a program is not installed. */
export class Readers implements AsyncDisposable {
  readonly #python = new Server("python3", ["-c", PYTHON]);
  readonly #go: Server;
  readonly #folder = Deno.makeTempDirSync({ prefix: "updater-shim-readers-" });

  constructor() {
    const [source, program] = [join(this.#folder, "readers.go"), join(this.#folder, "readers")];
    Deno.writeTextFileSync(source, GO);
    const { success, stderr } = new Deno.Command("go", {
      args: ["build", "-o", program, source],
      env: { GOCACHE: join(this.#folder, "cache"), GO111MODULE: "off" },
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    this.#go = new Server(program, []);
  }

  /** Who reads that kind. */
  of(kind: ReaderKind): Reader[] {
    const python = this.#served("Python", this.#python, kind);
    const go = this.#served("Go", this.#go, kind);
    switch (kind) {
      case "tar":
        return [
          python,
          go,
          program("bsdtar", "bsdtar", (archive, member) => ["-xOf", archive, member]),
          program("GNU tar", "tar", (archive, member) => ["-xOf", archive, member]),
        ];
      case "zip":
        return [
          python,
          go,
          program("bsdtar", "bsdtar", (archive, member) => ["-xOf", archive, member]),
          program("unzip", "unzip", (archive, member) => ["-p", archive, member]),
        ];
      case "xz":
        return [python, program("xz", "xz", (archive) => ["-dc", archive])];
      case "zst":
        return [program("zstd", "zstd", (archive) => ["-dcq", archive])];
      case "gz":
        return [python, program("gzip", "gzip", (archive) => ["-dc", archive])];
    }
  }

  #served(name: string, server: Server, kind: ReaderKind): Reader {
    return {
      name,
      async read(archive, member) {
        const answer = await server.ask(kind, archive, member);
        return answer === "-" ? undefined : answer;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#python[Symbol.asyncDispose]();
    await this.#go[Symbol.asyncDispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function program(
  name: string,
  path: string,
  args: (archive: string, member: string) => string[],
): Reader {
  return {
    name,
    async read(archive, member) {
      const { success, stdout } = await new Deno.Command(path, {
        args: args(archive, member),
        stdin: "null",
        stderr: "null",
      }).output();
      return success ? createHash("sha256").update(stdout).digest("hex") : undefined;
    },
  };
}
