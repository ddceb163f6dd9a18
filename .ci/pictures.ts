/**
 * `deno task pictures`: the pictures of the pages, light and dark. The drawn ones are compared with
 * what lies in `.github/` by a test, so they cannot fall behind; the terminal is a real run.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** Colours of one appearance. */
export interface Theme {
  readonly name: "light" | "dark";
  readonly back: string;
  readonly frame: string;
  readonly text: string;
  readonly soft: string;
  readonly old: string;
  readonly new: string;
  readonly gap: string;
  readonly half: string;
}

/** As GitHub shows pages. */
export const THEMES: readonly Theme[] = [
  {
    name: "light",
    back: "#ffffff",
    frame: "#d0d7de",
    text: "#24292f",
    soft: "#57606a",
    old: "#c9d1d9",
    new: "#4ac26b",
    gap: "#cf222e",
    half: "#bc4c00",
  },
  {
    name: "dark",
    back: "#0d1117",
    frame: "#30363d",
    text: "#e6edf3",
    soft: "#8b949e",
    old: "#484f58",
    new: "#2ea043",
    gap: "#da3633",
    half: "#db6d28",
  },
];

const SANS = "ui-sans-serif,system-ui,sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace";

/** What somebody who types the tool's name gets. */
type State = "old" | "gap" | "half" | "new";

/** Where each updater's time goes, from `self update` to its end; not to scale. */
const UPDATERS: readonly {
  name: string;
  where: string;
  spans: readonly [State, number, string][];
}[] = [
  {
    name: "uv, axoupdater",
    where: "Windows",
    spans: [["old", 1, "rename"], ["gap", 6, "download, unpack"], ["half", 2, "copy"], [
      "new",
      3,
      "",
    ]],
  },
  {
    name: "cargo-dist to 0.30",
    where: "Linux, macOS",
    spans: [["old", 7, "download, unpack"], ["half", 2, "mv: a copy"], ["new", 3, ""]],
  },
  {
    name: "go-update",
    where: "everywhere",
    spans: [["old", 7, "download"], ["gap", 1, ""], [
      "new",
      4,
      "not synced to the disk",
    ]],
  },
  {
    name: "updater-shim",
    where: "everywhere",
    spans: [["old", 8, "download, verify, try, sync"], ["new", 4, "try again"]],
  },
];

/** The moments at which a kill leaves no working tool. */
export function swapPicture(theme: Theme): string {
  const [left, top, unit, height, gap] = [190, 58, 52, 30, 14];
  const rows = UPDATERS.flatMap(({ name, where, spans }, row) => {
    const y = top + row * (height + gap);
    let x = left;
    const boxes = spans.map(([state, length, text]) => {
      const width = length * unit - 2;
      const fill = theme[state];
      const colour = state === "old" ? theme.text : "#ffffff";
      const box =
        `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3" fill="${fill}"/>` +
        (text && label(x + width / 2, y + 20, text, colour, "middle", 12));
      x += length * unit;
      return box;
    });
    return [
      label(16, y + 14, name, theme.text, "start", 13, true),
      label(16, y + 28, where, theme.soft, "start", 11),
      ...boxes,
    ];
  });
  const y = top + UPDATERS.length * (height + gap) + 16;
  const legend = [
    ["old", "the old version runs"],
    ["gap", "killed here: no tool"],
    ["half", "killed here: half a file"],
    ["new", "the new version runs"],
  ] as const;
  const key = legend.map(([state, text], index) => {
    const x = 16 + index * 205;
    return `<rect x="${x}" y="${y - 11}" width="14" height="14" rx="2" fill="${theme[state]}"/>` +
      label(x + 20, y, text, theme.soft, "start", 12);
  });
  return svg(theme, 836, y + 18, "What a kill leaves, by the moment", [
    label(
      16,
      30,
      "What a kill leaves, by the moment (not to scale)",
      theme.text,
      "start",
      14,
      true,
    ),
    ...rows,
    ...key,
  ]);
}

function label(
  x: number,
  y: number,
  text: string,
  fill: string,
  anchor: "start" | "middle",
  size: number,
  bold = false,
): string {
  return `<text x="${x}" y="${y}" fill="${fill}" font-size="${size}" text-anchor="${anchor}"${
    bold ? ' font-weight="600"' : ""
  }>${escape(text)}</text>`;
}

function svg(theme: Theme, width: number, height: number, title: string, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `role="img" font-family="${SANS}">\n<title>${escape(title)}</title>\n` +
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${
      height - 1
    }" rx="8" fill="${theme.back}" ` +
    `stroke="${theme.frame}"/>\n${parts.join("\n")}\n</svg>\n`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The rooms of `src/`, from what may import most to what imports nothing. */
export const LEVELS: readonly (readonly string[])[] = [
  ["run.ts", "work.ts", "change.ts"],
  ["commands"],
  ["cli", "release"],
  ["transaction", "output"],
  ["orphans", "parent", "transfer", "archive", "patch"],
  ["installation"],
  ["files"],
  ["system", "base"],
];

const PHASES: readonly { phase: string; disk: string; next: string }[] = [
  {
    phase: "staging",
    disk: "old set; the new one in a hidden folder",
    next: "removes what was staged",
  },
  {
    phase: "committing",
    disk: "each target old or new, never missing",
    next: "finishes, or puts back",
  },
  {
    phase: "rolling-back",
    disk: "each target old or new, never missing",
    next: "puts the old set back",
  },
  { phase: "committed", disk: "new set; the old one as .previous", next: "tidies" },
  {
    phase: "leftovers",
    disk: "new set; old images that still run",
    next: "removes them when it can",
  },
];

/** The rooms, and the phases of an update with what the next start does. */
export function architecturePicture(theme: Theme): string {
  const [left, top, width, height, gap] = [16, 52, 372, 30, 8];
  const rooms = LEVELS.flatMap((level, row) => {
    const own = (width - gap * (level.length - 1)) / level.length;
    return level.map((room, column) =>
      box(theme, left + column * (own + gap), top + row * (height + gap), own, height, room)
    );
  });
  const right = left + width + 40;
  const phases = PHASES.flatMap(({ phase, disk, next }, row) => {
    const y = top + row * 60;
    return [
      box(theme, right, y, 116, 46, phase),
      label(right + 128, y + 18, disk, theme.text, "start", 12),
      label(right + 128, y + 36, `the next start ${next}`, theme.soft, "start", 12),
    ];
  });
  return svg(theme, 836, top + 8 * (height + gap) + 8, "The rooms, and the phases of an update", [
    label(left, 30, "Rooms: imports go down only", theme.text, "start", 14, true),
    label(right, 30, "Phases of the journal", theme.text, "start", 14, true),
    ...rooms,
    ...phases,
  ]);
}

function box(theme: Theme, x: number, y: number, width: number, height: number, text: string) {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" fill="none" stroke="${theme.soft}"/>` +
    label(x + width / 2, y + height / 2 + 4, text, theme.text, "middle", 12);
}

/** A line that moved before it stood still, and what it showed meanwhile. */
export interface MovingLine {
  readonly at: number;
  readonly frames: readonly string[];
}

/** How long the moving line moves, and all of it takes. */
const [MOVES_SECONDS, LASTS_SECONDS] = [5, 10];

/** Lines of a terminal as a picture; a line that begins with "$ " is what the user typed. */
export function terminalPicture(
  theme: Theme,
  lines: readonly string[],
  moving?: MovingLine,
): string {
  const [left, top, line, width] = [18, 52, 20, 836];
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map((fill, index) =>
    `<circle cx="${20 + index * 18}" cy="18" r="5.5" fill="${fill}"/>`
  );
  const row = (text: string, index: number, inner = "", opacity = 1) => {
    const colour = text.startsWith("$ ") ? theme.text : theme.soft;
    return `<text x="${left}" y="${top + index * line}" fill="${colour}" font-size="13" ` +
      `font-family="${MONO}" xml:space="preserve" opacity="${opacity}">${
        escape(text)
      }${inner}</text>`;
  };
  const share = MOVES_SECONDS / LASTS_SECONDS;
  const rows = lines.flatMap((text, index) => {
    if (!moving || index < moving.at) return [row(text, index)];
    const later = row(text, index, shown(share, 1));
    if (index > moving.at) return [later];
    const { frames } = moving;
    const part = share / frames.length;
    return [
      ...frames.map((frame, n) => row(frame, index, shown(n * part, (n + 1) * part), 0)),
      later,
    ];
  });
  return svg(theme, width, top + lines.length * line, "An update in a terminal", [
    ...dots,
    ...rows,
  ]);
}

/** Shows a line from one share of the time to another, over and over. */
function shown(from: number, to: number): string {
  const times = [0, from, to, 1].map((time) => time.toFixed(3));
  return `<animate attributeName="opacity" dur="${LASTS_SECONDS}s" repeatCount="indefinite" ` +
    `calcMode="discrete" values="0;1;${to === 1 ? 1 : 0};0" keyTimes="${times.join(";")}"/>`;
}

/** The drawn pictures, by file name. */
export function drawnPictures(): Record<string, string> {
  return Object.fromEntries(
    THEMES.flatMap((theme) => [
      [`swap-${theme.name}.svg`, swapPicture(theme)],
      [`architecture-${theme.name}.svg`, architecturePicture(theme)],
    ]),
  );
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(drawnPictures())) {
    Deno.writeTextFileSync(join(ROOT, ".github", name), text);
  }
}
