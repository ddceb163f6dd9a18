/** Completion scripts, from the same table as the parser. */
import { OPTIONS, type Shell } from "./cli.ts";

/** A script to be sourced by that shell. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish, powershell }[shell]();
}

const flags = () => OPTIONS.map(({ name }) => `--${name}`).join(" ");
/** Options whose value is a folder or file. */
const FOLDERS = ["install-dir"], FILES = ["from", "manifest"];

function bash(): string {
  return `# bash: source <(updater-shim --completions bash)
_updater_shim() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  case $before in
    --install-dir) COMPREPLY=($(compgen -d -- "$word")) ;;
    --from|--manifest) COMPREPLY=($(compgen -f -- "$word")) ;;
    --completions) COMPREPLY=($(compgen -W "bash zsh fish powershell" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "${flags()}" -- "$word")) ;;
  esac
}
complete -F _updater_shim updater-shim
`;
}

function zsh(): string {
  const rows = OPTIONS.map(({ name, value, help, repeatable }) => {
    const action = FOLDERS.includes(name)
      ? ":folder:_files -/"
      : FILES.includes(name)
      ? ":file:_files"
      : name === "completions"
      ? ":shell:(bash zsh fish powershell)"
      : value
      ? `:${value}: `
      : "";
    const text = help.replace(/[[\]:']/g, "");
    return `    '${repeatable ? "*" : ""}--${name}${value ? "=" : ""}[${text}]${action}'`;
  });
  return `#compdef updater-shim
# zsh: updater-shim --completions zsh > "\${fpath[1]}/_updater-shim"
_updater_shim() {
  _arguments \\
${rows.join(" \\\n")}
}
compdef _updater_shim updater-shim
`;
}

function fish(): string {
  const rows = OPTIONS.map(({ name, short, value, help }) => {
    const argument = FOLDERS.includes(name)
      ? " -x -a '(__fish_complete_directories)'"
      : FILES.includes(name)
      ? " -r -F"
      : name === "completions"
      ? " -x -a 'bash zsh fish powershell'"
      : value
      ? " -x"
      : "";
    const text = help.replace(/'/g, "");
    return `complete -c updater-shim -f -l ${name}${
      short ? ` -s ${short}` : ""
    }${argument} -d '${text}'`;
  });
  return `# fish: updater-shim --completions fish > ~/.config/fish/completions/updater-shim.fish
${rows.join("\n")}
`;
}

function powershell(): string {
  const rows = OPTIONS.map(({ name, help }) => `    @('--${name}', '${help.replace(/'/g, "''")}')`);
  return `# PowerShell: updater-shim --completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName updater-shim -ScriptBlock {
  param($word, $ast, $position)
  @(
${rows.join("\n")}
  ) | Where-Object { $_[0] -like "$word*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterName', $_[1])
  }
}
`;
}
