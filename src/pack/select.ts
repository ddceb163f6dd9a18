/** Which executables belong to the tool, and which file of the release each platform gets them from. */
import { archiveKind } from "../archive/kinds.ts";
import { nearest } from "../base/nearest.ts";
import type { OpenedArtifact, Piece } from "./contents.ts";
import { plainStem, platformOfName, triplesOfMachine, wrongMachine } from "./platforms.ts";
import { withoutEnding } from "./plain_folder.ts";
import type { Refusals } from "./refusals.ts";

/** One executable of one platform. */
export interface Choice {
  /** The name that it is installed under. */
  readonly target: string;
  readonly from: OpenedArtifact;
  readonly piece: Piece;
}

/** What each platform gets, by triple; sorted by triple and target. */
export type Selection = ReadonlyMap<string, readonly Choice[]>;

/** What the author decided. */
export interface SelectOptions {
  readonly version: string | undefined;
  /** Names of executables, without `.exe`; empty: found out. */
  readonly executables: readonly string[];
}

/**
 * Of several files with the same executables one is enough. What unpacks fast comes first: xz saves
 * some percent of the download and takes longer to unpack than they took to load.
 */
const PREFERRED = ["tar.zst", "zst", "tar.gz", "gz", "zip", "tar.xz", "xz", "tar"];

/** Chooses; whatever is not obvious goes to `refusals` with what to add. */
export function select(
  opened: readonly OpenedArtifact[],
  options: SelectOptions,
  refusals: Refusals,
): Selection {
  const offers = new Map<string, Choice[]>();
  for (const from of opened) {
    for (const piece of usablePieces(from, options)) {
      const target = targetName(piece, options.version);
      for (const triple of triplesFor(from, piece, refusals)) {
        offers.set(triple, [...offers.get(triple) ?? [], { target, from, piece }]);
      }
    }
  }
  if (offers.size === 0) {
    refusals.add(
      "usage",
      "The release has no file for any platform that has a shim",
      "Look above at what each file was taken for; --platform FILE=TRIPLE says what one is for.",
    );
  }
  const names = toolNames(offers, options.executables, refusals);
  const selection = new Map<string, readonly Choice[]>();
  for (const triple of [...offers.keys()].sort()) {
    const chosen = names.flatMap((name) => chooseFor(triple, name, offers.get(triple)!, refusals));
    const libraries = librariesBeside(chosen, offers.get(triple)!);
    const all = [...chosen, ...libraries];
    if (all.length > 0) selection.set(triple, all.toSorted((a, b) => a.target < b.target ? -1 : 1));
  }
  return selection;
}

/** Scripts count where there is nothing else, and where they are asked for. */
function usablePieces(
  { artifact, pieces }: OpenedArtifact,
  { version, executables: wanted }: SelectOptions,
): Piece[] {
  const of = (kind: Piece["kind"]) => pieces.filter((piece) => piece.kind === kind);
  const isNamed = (piece: Piece, names: readonly string[]) =>
    [bare(piece.name), bare(targetName(piece, version))].some((name) => names.includes(name));
  const declared = artifact.executables?.map(bare);
  const binaries = of("executable"), scripts = of("script");
  const started = declared
    ? [...binaries, ...scripts].filter((piece) => isNamed(piece, [...declared, ...wanted]))
    : binaries.length > 0
    ? [...binaries, ...scripts.filter((piece) => isNamed(piece, wanted))]
    : scripts;
  return [...started, ...of("library")];
}

function triplesFor(
  { artifact: { name, triples } }: OpenedArtifact,
  { machine, name: own, member }: Piece,
  refusals: Refusals,
): readonly string[] {
  if (!machine) {
    if (triples) return triples;
    refusals.add(
      "usage",
      `"${name}" holds a script, "${own}", and its name says no platform`,
      `Say it: --platform "${name}=x86_64-unknown-linux-gnu,aarch64-apple-darwin"; or leave it out: --exclude "${name}"`,
    );
    return [];
  }
  if (!triples) return triplesOfMachine(machine);
  for (const triple of triples) {
    const wrong = wrongMachine(machine, triple);
    if (wrong === undefined) continue;
    const what = member === undefined ? `"${name}"` : `"${own}" in "${name}"`;
    refusals.add(
      "verification",
      `${what} is ${wrong}`,
      `Build it for ${triple}, or say what it is: --platform "${name}=TRIPLE"; or leave it out: --exclude "${name}"`,
    );
    return [];
  }
  return triples;
}

/** The names of the tool's executables, without `.exe`. */
function toolNames(
  offers: ReadonlyMap<string, readonly Choice[]>,
  wanted: readonly string[],
  refusals: Refusals,
): readonly string[] {
  const byTriple = [...offers].map(([triple, choices]) => ({
    triple,
    names: new Set(
      choices.filter(({ piece }) => piece.kind !== "library").map(({ target }) => bare(target)),
    ),
  })).filter(({ names }) => names.size > 0);
  const all = [...new Set(byTriple.flatMap(({ names }) => [...names]))].sort();
  if (wanted.length > 0) {
    for (const name of wanted.filter((name) => !all.includes(name))) {
      refusals.add(
        "usage",
        `No file has an executable "${name}"`,
        all.length > 0
          ? `There are: ${all.join(", ")}. Did you mean --executable ${nearest(name, all)}?`
          : "No executable was found at all.",
      );
    }
    return wanted;
  }
  const partly = all.filter((name) => !byTriple.every(({ names }) => names.has(name)));
  if (partly.length === 0) return all;
  const where = partly.map((name) => {
    const triples = byTriple.filter(({ names }) => names.has(name)).map(({ triple }) => triple);
    return `"${name}" (only for ${triples.join(", ")})`;
  });
  refusals.add(
    "usage",
    `Not every platform has the same executables: ${where.join("; ")}`,
    `Say which ones the tool consists of: ${
      all.map((name) => `--executable ${name}`).join(" ")
    }, without those that do not belong to it`,
  );
  return all;
}

function chooseFor(
  triple: string,
  name: string,
  offers: readonly Choice[],
  refusals: Refusals,
): readonly Choice[] {
  const same = offers.filter(({ target, piece }) =>
    bare(target) === name && piece.kind !== "library"
  ).toSorted((a, b) => rank(a) - rank(b) || (a.from.artifact.name < b.from.artifact.name ? -1 : 1));
  const [best] = same;
  const other = same.find(({ piece }) => piece.digest.sha256 !== best!.piece.digest.sha256);
  if (best && other) {
    refusals.add(
      "usage",
      `"${best.from.artifact.name}" and "${other.from.artifact.name}" hold different executables "${name}" for ${triple}`,
      `Leave one out: --exclude "${other.from.artifact.name}"`,
    );
  }
  return best ? [best] : [];
}

function rank({ from: { artifact: { name } } }: Choice): number {
  const kind = archiveKind(name);
  return kind ? PREFERRED.indexOf(kind) : PREFERRED.length;
}

/** A library in the folder of an executable is what that one loads, and goes with it. */
function librariesBeside(chosen: readonly Choice[], offers: readonly Choice[]): Choice[] {
  const folder = ({ from, piece }: Choice) =>
    `${from.artifact.name}\n${(piece.member ?? "").split("/").slice(0, -1).join("/")}`;
  const folders = chosen.filter(({ piece }) => piece.member !== undefined).map(folder);
  return offers.filter((offer) =>
    offer.piece.kind === "library" && folders.includes(folder(offer))
  );
}

/** `mytool-1.4.0-linux-amd64` is installed as `mytool`; a name without a platform in it stays. */
function targetName({ name, kind, machine, member }: Piece, version: string | undefined): string {
  if (kind === "library") return name;
  const stem = member === undefined ? withoutEnding(name) : bare(name);
  const own = platformOfName(stem).words.length > 0 || (version && stem.includes(version))
    ? plainStem(stem, version)
    : stem;
  return machine?.os === "windows" ? `${own}.exe` : own;
}

/** Without `.exe`. */
export function bare(name: string): string {
  return name.replace(/\.exe$/i, "");
}
