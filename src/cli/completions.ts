/** Completion scripts, made from the table of options. */
import { OPTIONS, type OptionSpec, type Shell, SHELLS } from "./options.ts";

/**
 * A script to be sourced by that shell. `program` is what the shim is called here: a tool may ship it
 * under a name of its own.
 */
export function completionScript(shell: Shell, program: string): string {
  return { bash, zsh, fish, powershell }[shell](program);
}

/** What a function of a shell can be called. */
function functionName(program: string): string {
  return `_${program.replace(/[^A-Za-z0-9]/g, "_")}`;
}

/** For a shell whose single quotes end at the next one. */
function quote(text: string): string {
  return /^[A-Za-z0-9._-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const shells = SHELLS.join(" ");
const long = (which: (option: OptionSpec) => boolean) =>
  OPTIONS.filter(which).map(({ name }) => `--${name}`);

/** bash splits words at "=", so both spellings end as option, "=", value. */
function bash(program: string): string {
  const name = functionName(program), command = quote(program);
  const of = (kind: OptionSpec["completes"]) =>
    long(({ completes }) => completes === kind).join("|");
  const others = long(({ value, completes }) => value !== undefined && !completes).join("|");
  const words = long(() => true).join(" ");
  return `# bash completion of ${command}: source <(${command} --completions bash)
${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" option="\${COMP_WORDS[COMP_CWORD-1]}" line
  local -a from=()
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  case "$option" in
    ${of("folder")}) compopt -o filenames 2>/dev/null; from=(-d) ;;
    ${of("file")}) compopt -o filenames 2>/dev/null; from=(-f) ;;
    ${of("shell")}) from=(-W "${shells}") ;;
    ${others}) ;;
    *) from=(-W "${words}") ;;
  esac
  ((\${#from[@]})) || return 0
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "\${from[@]}" -- "$word")
}
complete -F ${name} ${command}
`;
}

function zsh(program: string): string {
  const name = functionName(program), command = quote(program);
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
  return `#compdef ${command}
# zsh completion of ${command}: a file named _${command} in a folder of $fpath, or
# source <(${command} --completions zsh) after compinit
${name}() {
  _arguments -s \\
${rows.join(" \\\n")}
}
if [[ $funcstack[1] == _${command} ]]; then
  ${name} "$@"
else
  compdef ${name} ${command}
fi
`;
}

function fish(program: string): string {
  const command = quote(program);
  const actions = {
    folder: " -x -a '(__fish_complete_directories)'",
    file: " -r -F",
    shell: ` -x -a '${shells}'`,
  };
  const rows = OPTIONS.map(({ name, short, value, help, completes }) => {
    const letter = short ? ` -s ${short}` : "";
    const argument = completes ? actions[completes] : value ? " -x" : "";
    const text = help.replace(/[\\']/g, "\\$&");
    return `complete -c ${command} -l ${name}${letter}${argument} -d '${text}'`;
  });
  return `# fish completion of ${command}:
# ${command} --completions fish > ~/.config/fish/completions/${command}.fish
complete -c ${command} -f
${rows.join("\n")}
`;
}

function powershell(program: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const rows = OPTIONS.map(({ name, help }) => `    , @(${quoted(`--${name}`)}, ${quoted(help)})`);
  return `# PowerShell completion of ${program}, for $PROFILE:
# ${program} --completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${quoted(program)}, ${
    quoted(`${program}.exe`)
  } -ScriptBlock {
  param($word, $ast, $position)
  @(
${rows.join("\n")}
  ) | Where-Object { $_[0].StartsWith($word) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterName', $_[1])
  }
}
`;
}
