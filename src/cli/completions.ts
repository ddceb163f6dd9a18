/** Completion scripts, made from the table of options. */
import { OPTIONS, type OptionSpec, type Shell, SHELLS } from "./options.ts";

/** A script to be sourced by that shell. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish, powershell }[shell]();
}

const shells = SHELLS.join(" ");
const long = (which: (option: OptionSpec) => boolean) =>
  OPTIONS.filter(which).map(({ name }) => `--${name}`);

/** bash splits words at "=", so both spellings end as option, "=", value. */
function bash(): string {
  const of = (kind: OptionSpec["completes"]) =>
    long(({ completes }) => completes === kind).join("|");
  const others = long(({ value, completes }) => value !== undefined && !completes).join("|");
  const words = long(() => true).join(" ");
  return `# bash completion of updater-shim: source <(updater-shim --completions bash)
_updater_shim() {
  local word="\${COMP_WORDS[COMP_CWORD]}" option="\${COMP_WORDS[COMP_CWORD-1]}" line
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  add() { while IFS= read -r line; do COMPREPLY+=("$line"); done; }
  case "$option" in
    ${of("folder")}) compopt -o filenames 2>/dev/null; add < <(compgen -d -- "$word") ;;
    ${of("file")}) compopt -o filenames 2>/dev/null; add < <(compgen -f -- "$word") ;;
    ${of("shell")}) add < <(compgen -W "${shells}" -- "$word") ;;
    ${others}) ;;
    *) add < <(compgen -W "${words}" -- "$word") ;;
  esac
  unset -f add
}
complete -F _updater_shim updater-shim
`;
}

function zsh(): string {
  const actions = {
    folder: ":folder:_files -/",
    file: ":file:_files",
    shell: `:shell:(${shells})`,
  };
  const rows = OPTIONS.flatMap(({ name, short, value, help, repeatable, completes }) => {
    // Inside of '…': no quote; inside of […]: no bracket, and a colon would end the description.
    const text = help.replaceAll("'", "").replace(/[[\]:]/g, "\\$&");
    const action = completes ? actions[completes] : value ? `:${value.toLowerCase()}: ` : "";
    const row = `    '${repeatable ? "*" : ""}--${name}${value ? "=" : ""}[${text}]${action}'`;
    return short ? [row, `    '-${short}[${text}]'`] : [row];
  });
  return `#compdef updater-shim
# zsh completion of updater-shim: a file named _updater-shim in a folder of $fpath, or
# source <(updater-shim --completions zsh) after compinit
_updater_shim() {
  _arguments -s \\
${rows.join(" \\\n")}
}
if [[ $funcstack[1] == _updater-shim ]]; then
  _updater_shim "$@"
else
  compdef _updater_shim updater-shim
fi
`;
}

function fish(): string {
  const actions = {
    folder: " -x -a '(__fish_complete_directories)'",
    file: " -r -F",
    shell: ` -x -a '${shells}'`,
  };
  const rows = OPTIONS.map(({ name, short, value, help, completes }) => {
    const letter = short ? ` -s ${short}` : "";
    const argument = completes ? actions[completes] : value ? " -x" : "";
    const text = help.replace(/[\\']/g, "\\$&");
    return `complete -c updater-shim -l ${name}${letter}${argument} -d '${text}'`;
  });
  return `# fish completion of updater-shim:
# updater-shim --completions fish > ~/.config/fish/completions/updater-shim.fish
complete -c updater-shim -f
${rows.join("\n")}
`;
}

function powershell(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const rows = OPTIONS.map(({ name, help }) => `    , @(${quoted(`--${name}`)}, ${quoted(help)})`);
  return `# PowerShell completion of updater-shim, for $PROFILE:
# updater-shim --completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName updater-shim, updater-shim.exe -ScriptBlock {
  param($word, $ast, $position)
  @(
${rows.join("\n")}
  ) | Where-Object { $_[0].StartsWith($word) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterName', $_[1])
  }
}
`;
}
